namespace Spotter.Tests.Gateway;

/// <summary>What a worker may say that can't be. LEASE stands for a lease that it holds.</summary>
internal static class WorkerLies
{
    /// <summary>The call below the worker's own address, empty for joining, and the body.</summary>
    public static readonly IReadOnlyList<(string Call, string Body)> All =
    [
        ("", """{"lanes":1,"models":[null]}"""),
        ("", """{"lanes":1,"models":[{"id":"\u001b[2J","version":"1"}]}"""),
        ("", """{"lanes":1,"models":[{"id":"m","version":"1","info":{"id":"m","engine":"detect","family":"f","inputWidth":1,"inputHeight":1,"labels":[null]}}]}"""),
        ("", """{"lanes":1,"models":[{"id":"m","version":null,"error":{"code":"Not A Code","detail":"x"}}]}"""),
        ("", """{"lanes":1,"models":null}"""),
        ("", """{"models":[]}"""),
        ("/take", """{"queues":[null],"waitSeconds":0}"""),
        ("/take", """{"queues":[""],"waitSeconds":0}"""),
        ("/take", """{"queues":["detect/tiny"],"waitSeconds":"NaN"}"""),
        ("/exchange", """{"finished":[null],"take":null}"""),
        ("/exchange", """{"finished":null,"take":null}"""),
        ("/exchange", """{"finished":[{"lease":null,"outcome":null}],"take":{"queues":[null],"waitSeconds":0}}"""),
        ("/exchange", """{"finished":[],"take":{"queues":["detect/tiny"],"waitSeconds":0,"most":0}}"""),
        ("/exchange", """{"finished":[],"take":{"queues":["detect/tiny"],"waitSeconds":0,"most":2000000000}}"""),
        ("/exchange", """{"finished":[],"take":{"queues":null,"waitSeconds":0}}"""),
        ("/heartbeat", """{"leases":[null]}"""),
        ("/heartbeat", """{"leases":null}"""),
        ("/heartbeat", """{"leases":[{"job":"00000000000000000000000000000000","queue":"q","fencingToken":1,"attempt":1,"worker":"evil","progress":1e999}]}"""),
        ("/heartbeat", """{"leases":[],"models":[null]}"""),
        ("/finish", """{"lease":null,"outcome":{"kind":"retry","error":{"code":"a","detail":""},"spendAttempt":true}}"""),
        ("/finish", """{"lease":LEASE,"outcome":null}"""),
        ("/finish", """{"lease":LEASE,"outcome":{"kind":"retry","error":null,"spendAttempt":true}}"""),
        ("/finish", """{"lease":LEASE,"outcome":{"kind":"reject","error":{"code":"no such\ncode","detail":""}}}"""),
        ("/finish", """{"lease":LEASE,"outcome":{"kind":"done","result":{},"timings":{"inferMs":1e999},"output":null}}"""),
        ("/finish", """{"lease":LEASE,"outcome":{"kind":"done","result":{},"timings":{"inferMs":-1},"output":null}}"""),
        ("/finish", """{"lease":LEASE,"outcome":{"kind":"done","result":{},"timings":null,"output":null}}"""),
        ("/finish", """{"lease":LEASE,"outcome":{"kind":"done","result":{},"timings":{},"output":null,"outputs":[null]}}"""),
        ("/finish", """{"lease":LEASE,"outcome":{"kind":"done","result":{},"timings":{},"output":null,"outputs":[{"name":null,"mediaType":"a/b","bytes":1,"key":"out/1"}]}}"""),
    ];
}
