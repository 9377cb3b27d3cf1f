namespace Spotter.EndToEnd.Clients;

/// <summary>The client in JavaScript.</summary>
public sealed class NodeClientTests(ClientService service) : ClientConformance(service, "probe.mjs"), IClassFixture<ClientService>
{
    private static string Folder => ClientProgram.FileOf("clients", "js");

    /// <summary>After a change of the API, <c>node clients/js/generate.mjs http://…/openapi/v1.json >clients/js/src/api.d.ts</c>.</summary>
    [ClientFact]
    public async Task Its_types_are_those_of_the_document()
    {
        var made = await ClientProgram.RunAsync(ClientProgram.StartInfo(Path.Combine(Folder, "generate.mjs"), [$"{Address}openapi/v1.json"]));

        made.Status.ShouldBe(0, made.Errors);
        made.Output.ShouldBe(await File.ReadAllTextAsync(Path.Combine(Folder, "src", "api.d.ts")));
    }

    [TypeScriptFact]
    public async Task Its_types_fit_what_it_is_and_programs_that_use_it()
    {
        using var folder = new TemporaryFolder();
        var program = folder.File("program.mts");
        await File.WriteAllTextAsync(program, $$"""
            import * as client from '{{Folder}}/src/spotter.js'
            import { Spotter, SpotterError, JobFailed, verifyWebhook, type Detection, type Job } from '{{Folder}}/src/spotter.js'
            const spotter = new Spotter('http://127.0.0.1:8080', { key: null, timeoutSeconds: 5 })
            const job: Job = await spotter.detect(new Blob(), { confidence: 0.5, labels: ['a', 'b'], engine: 'detect', mine: { x: 1 } }, { waitSeconds: 5 })
            const found: Detection[] = job.result?.detections ?? []
            const edge: number | undefined = found[0]?.box.x1
            const [first]: Job[] = await spotter.submit([new Uint8Array()], {}, { idempotencyKey: 'k', signal: AbortSignal.timeout(1) })
            for await (const now of spotter.events(first!.id)) if (now.state === 'succeeded') break
            const event = await verifyWebhook(new Uint8Array(), { 'webhook-id': 'x' }, ['s'])
            const end: 'job.succeeded' | 'job.failed' | 'job.dead' | 'job.cancelled' = event.type
            const error: SpotterError = new JobFailed(job)
            // @ts-expect-error no such engine
            await spotter.submit(new Blob(), { engine: 'divine' })
            // @ts-expect-error no such state
            job.state === 'done'
            export const all: Record<keyof typeof client, unknown> = client
            export { edge, end, error }

            """);
        var tsc = ClientProgram.StartInfo(TypeScriptFactAttribute.Compiler,
            ["--noEmit", "--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--target", "es2023", "--lib", "es2023,dom,dom.asynciterable", "--module", "nodenext", "--types", "", "--skipLibCheck", "false", program]);

        var (status, output, errors) = await ClientProgram.RunAsync(tsc);

        status.ShouldBe(0, output + errors);
    }

    [ClientFact]
    public async Task What_it_has_is_in_its_types()
    {
        using var folder = new TemporaryFolder();
        var program = folder.File("names.mjs");
        await File.WriteAllTextAsync(program, $"""
            import * as client from '{Folder}/src/spotter.js'
            console.log(JSON.stringify([...Object.keys(client), ...Object.getOwnPropertyNames(client.Spotter.prototype)]))

            """);

        var names = (await ClientProgram.JsonAsync(ClientProgram.StartInfo(program, []))).EnumerateArray().Select(n => n.GetString()!).ToList();

        var types = await File.ReadAllTextAsync(Path.Combine(Folder, "src", "spotter.d.ts"));
        names.Count.ShouldBeGreaterThan(10);
        names.ShouldAllBe(name => types.Contains($" {name}(", StringComparison.Ordinal) || types.Contains($" class {name} ", StringComparison.Ordinal));
    }
}
