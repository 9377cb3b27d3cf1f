using System.Globalization;
using System.Net;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;
using Amazon.SQS.Model;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>
/// Looks at the table, the queues, what may be done with them, and the clock, and changes nothing. Rights to write are tried by writes
/// that fail or have nothing to do: a condition that never holds, a delete of what is not there, a message that nobody received.
/// </summary>
internal sealed class AwsProbe(AwsClients clients, AwsSettings settings)
{
    // No item has this key, and no message this receipt.
    private static readonly ItemKey Nowhere = new("doctor", "none");
    private const string NoReceipt = "none";
    private const string Never = "attribute_exists(pk)";

    /// <summary>Leases are compared between gateways.</summary>
    private static readonly TimeSpan MostSkew = TimeSpan.FromSeconds(5);

    private readonly AwsFaults faults = clients.Faults;

    /// <summary>What was found.</summary>
    /// <param name="queues">The queues of jobs that a service would use.</param>
    public async Task<IReadOnlyList<Probed>> RunAsync(IReadOnlyCollection<string> queues)
    {
        var found = new List<Probed> { await ClockAsync() };
        var (table, isThere) = await TableAsync();
        found.Add(table);
        if (isThere)
            found.Add(await RightsAsync());
        found.Add(await QueuesAsync(queues));
        return found;
    }

    private async Task<Probed> ClockAsync()
    {
        const string Name = "clock";
        try
        {
            var address = clients.Dynamo.DetermineServiceOperationEndpoint(new DescribeTableRequest(settings.Table)).URL;
            using var web = new HttpClient(Outgoing.NewHandler()) { Timeout = settings.Patience };
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            using var answer = await web.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            if (answer.Headers.Date is not { } theirs)
                return new(Name, $"{new Uri(address).Host} doesn't say what time it is");
            var difference = TimeProvider.System.GetUtcNow() - theirs;
            var text = string.Create(CultureInfo.InvariantCulture, $"{Math.Abs(difference.TotalSeconds):0} s {(difference > TimeSpan.Zero ? "ahead of" : "behind")} Amazon's");
            return difference.Duration() > MostSkew
                ? new(Name, $"This machine's clock is {text}; set it, as leases are compared between machines, and signatures are refused after five minutes.", IsWrong: true)
                : new(Name, text);
        }
        catch (Exception failed) when (AwsFaults.IsFault(failed))
        {
            return new(Name, faults.ToRefusal(failed).Message, IsWrong: true);
        }
    }

    private async Task<(Probed Found, bool IsThere)> TableAsync()
    {
        const string Name = "job store";
        TableDescription table;
        try
        {
            table = (await faults.CallAsync(() => clients.Dynamo.DescribeTableAsync(settings.Table), CancellationToken.None)).Table;
        }
        catch (SpotterException none) when (settings.Creates && none.InnerException is Amazon.DynamoDBv2.Model.ResourceNotFoundException)
        {
            return (new(Name, $"the DynamoDB table '{settings.Table}' will be made by `serve`"), false);
        }
        catch (SpotterException none)
        {
            return (new(Name, none.Message, IsWrong: true), false);
        }
        var wanted = AwsSchema.TableOf(settings.Table);
        if (!IsSame(wanted.KeySchema, table.KeySchema))
            return (new(Name, $"The table '{settings.Table}' has other keys than pk and sk: it is somebody else's. Name another with --aws-table.", IsWrong: true), false);
        var missing = wanted.GlobalSecondaryIndexes.Where(w => !(table.GlobalSecondaryIndexes ?? []).Exists(i => i.IndexName == w.IndexName && IsSame(w.KeySchema, i.KeySchema)))
            .Select(w => $"'{w.IndexName}' ({string.Join(", ", w.KeySchema.Select(k => k.AttributeName))})").ToList();
        if (missing.Count > 0)
            return (new(Name, $"The table '{settings.Table}' lacks the index {string.Join(" and ", missing)}; add it, with the keys only.", IsWrong: true), false);
        return table.TableStatus == TableStatus.ACTIVE || table.TableStatus == TableStatus.UPDATING
            ? (new(Name, $"the DynamoDB table '{settings.Table}' at {table.TableArn}"), true)
            : (new(Name, $"The table '{settings.Table}' is {table.TableStatus}; wait until it is ACTIVE.", IsWrong: true), false);
    }

    private async Task<Probed> RightsAsync()
    {
        var (dynamo, table, key) = (clients.Dynamo, settings.Table, Nowhere.ToItem());
        var values = new Dictionary<string, AttributeValue>(StringComparer.Ordinal) { [":pk"] = Value.Of(Nowhere.Pk) };
        QueryRequest Query(string? index, string name) => new(table) { IndexName = index, KeyConditionExpression = $"{name} = :pk", ExpressionAttributeValues = values, Limit = 1 };
        return await TryAllAsync("table rights",
        [
            ("dynamodb:GetItem", () => dynamo.GetItemAsync(table, key)),
            ("dynamodb:BatchGetItem", () => dynamo.BatchGetItemAsync(new Dictionary<string, KeysAndAttributes>(StringComparer.Ordinal) { [table] = new() { Keys = [key] } })),
            ("dynamodb:Query", () => dynamo.QueryAsync(Query(null, "pk"))),
            ($"dynamodb:Query on the index {RowCodec.OwnerIndex}", () => dynamo.QueryAsync(Query(RowCodec.OwnerIndex, "opk"))),
            ($"dynamodb:Query on the index {RowCodec.UnluckyIndex}", () => dynamo.QueryAsync(Query(RowCodec.UnluckyIndex, "upk"))),
            ("dynamodb:PutItem", () => dynamo.PutItemAsync(new PutItemRequest(table, key) { ConditionExpression = Never })),
            ("dynamodb:UpdateItem", () => dynamo.UpdateItemAsync(new UpdateItemRequest { TableName = table, Key = key, UpdateExpression = "REMOVE none", ConditionExpression = Never })),
            ("dynamodb:DeleteItem", () => dynamo.DeleteItemAsync(new DeleteItemRequest { TableName = table, Key = key, ConditionExpression = Never })),
            ("dynamodb:BatchWriteItem", () => dynamo.BatchWriteItemAsync(new Dictionary<string, List<WriteRequest>>(StringComparer.Ordinal) { [table] = [new(new DeleteRequest(key))] })),
        ]);
    }

    private async Task<Probed> QueuesAsync(IReadOnlyCollection<string> queues)
    {
        const string Name = "queues";
        var names = queues.SelectMany(queue => Enum.GetValues<JobPriority>().Select(priority => SqsQueues.NameOf(settings.Queues, new(queue, priority)))).Order(StringComparer.Ordinal).ToList();
        var (there, missing) = (new List<(string Name, string Url)>(), new List<string>());
        foreach (var name in names)
        {
            try
            {
                there.Add((name, (await faults.CallAsync(() => clients.Sqs.GetQueueUrlAsync(name), CancellationToken.None)).QueueUrl));
            }
            catch (SpotterException none) when (none.InnerException is QueueDoesNotExistException)
            {
                missing.Add(name);
            }
            catch (SpotterException failed)
            {
                return new(Name, failed.Message, IsWrong: true);
            }
        }
        if (missing.Count > 0 && !settings.Creates)
            return new(Name, $"There is no SQS queue {string.Join(", ", missing.Select(m => $"'{m}'"))}; make them with deploy/aws/up, or correct --aws-queues or --aws-region.", IsWrong: true);
        foreach (var (name, url) in there)
        {
            if (await OfQueueAsync(name, url) is { IsWrong: true } wrong)
                return wrong;
        }
        var made = missing.Count == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {missing.Count} will be made when they are needed");
        return new(Name, string.Create(CultureInfo.InvariantCulture, $"{there.Count} of {names.Count} there{made}; whether messages can be sent was not tried"));
    }

    private async Task<Probed> OfQueueAsync(string name, string url)
    {
        var sqs = clients.Sqs;
        Dictionary<string, string>? attributes = null;
        var tried = await TryAllAsync($"queue {name}",
        [
            ("sqs:GetQueueAttributes", async () => attributes = (await sqs.GetQueueAttributesAsync(url, ["VisibilityTimeout", "FifoQueue"])).Attributes),
            ("sqs:ChangeMessageVisibility", () => sqs.ChangeMessageVisibilityAsync(url, NoReceipt, 0)),
            ("sqs:DeleteMessage", () => sqs.DeleteMessageAsync(url, NoReceipt)),
        ]);
        return attributes?.ContainsKey("FifoQueue") == true ? new(tried.Name, $"The SQS queue '{name}' is a FIFO queue; make a standard one.", IsWrong: true) : tried;
    }

    /// <summary>Makes calls; those that are not allowed are named.</summary>
    private async Task<Probed> TryAllAsync(string name, IReadOnlyList<(string Action, Func<Task> Call)> calls)
    {
        var refused = new List<string>();
        foreach (var (action, call) in calls)
        {
            try
            {
                await call();
            }
            catch (AmazonServiceException denied) when (AwsFaults.IsDenied(denied))
            {
                refused.Add(action);
            }
            catch (AmazonServiceException passed) when (passed.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound && !AwsFaults.IsOfCredentials(passed))
            {
                // As it was meant to: it was allowed, and had nothing to do.
            }
            catch (Exception failed) when (AwsFaults.IsFault(failed))
            {
                return new(name, faults.ToRefusal(failed).Message, IsWrong: true);
            }
        }
        return refused.Count == 0
            ? new(name, string.Join(", ", calls.Select(c => c.Action)))
            : new(name, $"The role or user may not use {string.Join(", ", refused)}; add that to its policy (docs/aws.md has all).", IsWrong: true);
    }

    private static bool IsSame(IEnumerable<KeySchemaElement> wanted, IEnumerable<KeySchemaElement>? found) =>
        wanted.Select(k => (k.AttributeName, k.KeyType.Value)).SequenceEqual((found ?? []).Select(k => (k.AttributeName, k.KeyType.Value)));
}
