using System.Net;
using Amazon;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;

namespace Spotter.Tests.Aws.Model;

/// <summary>DynamoDB in memory, as one process sees it: the calls that the store makes, and no others.</summary>
internal sealed class ModelDynamo(ModelCloud cloud, ModelTable table, ModelProcess process)
    : AmazonDynamoDBClient(new AnonymousAWSCredentials(), new AmazonDynamoDBConfig { RegionEndpoint = RegionEndpoint.EUCentral1 })
{
    public override Task<GetItemResponse> GetItemAsync(GetItemRequest request, CancellationToken cancellationToken = default) =>
        Call(() => new GetItemResponse { Item = table.Find(request.Key) });

    public override Task<BatchGetItemResponse> BatchGetItemAsync(BatchGetItemRequest request, CancellationToken cancellationToken = default) => Call(() =>
    {
        var (name, wanted) = request.RequestItems.Single();
        Bound(wanted.Keys.Count, 100);
        var later = wanted.Keys.Where(_ => cloud.Chance(cloud.Faults.Unprocessed)).ToList();
        return new BatchGetItemResponse
        {
            Responses = new(StringComparer.Ordinal) { [name] = [.. wanted.Keys.Except(later).Select(table.Find).OfType<Dictionary<string, AttributeValue>>()] },
            UnprocessedKeys = later.Count == 0 ? [] : new(StringComparer.Ordinal) { [name] = new() { Keys = later, ConsistentRead = wanted.ConsistentRead } },
        };
    });

    public override Task<PutItemResponse> PutItemAsync(PutItemRequest request, CancellationToken cancellationToken = default) => Call(() =>
    {
        table.Check(request.Item, request.ConditionExpression, request.ExpressionAttributeValues, request.ReturnValuesOnConditionCheckFailure == ReturnValuesOnConditionCheckFailure.ALL_OLD);
        table.Put(request.Item);
        return new PutItemResponse();
    });

    public override Task<UpdateItemResponse> UpdateItemAsync(UpdateItemRequest request, CancellationToken cancellationToken = default) => Call(() =>
    {
        table.Check(request.Key, request.ConditionExpression, request.ExpressionAttributeValues, tellsItem: false);
        table.Update(request.Key, request.UpdateExpression, request.ExpressionAttributeValues);
        return new UpdateItemResponse();
    });

    public override Task<DeleteItemResponse> DeleteItemAsync(DeleteItemRequest request, CancellationToken cancellationToken = default) => Call(() =>
    {
        table.Check(request.Key, request.ConditionExpression, request.ExpressionAttributeValues, tellsItem: false);
        table.Delete(request.Key);
        return new DeleteItemResponse();
    });

    public override Task<BatchWriteItemResponse> BatchWriteItemAsync(BatchWriteItemRequest request, CancellationToken cancellationToken = default) => Call(() =>
    {
        var (name, writes) = request.RequestItems.Single();
        Bound(writes.Count, 25);
        var later = new List<WriteRequest>();
        foreach (var write in writes)
        {
            if (cloud.Chance(cloud.Faults.Unprocessed))
                later.Add(write);
            else if (write.PutRequest is { } put)
                table.Put(put.Item);
            else
                table.Delete(write.DeleteRequest.Key);
        }
        return new BatchWriteItemResponse { UnprocessedItems = later.Count == 0 ? [] : new(StringComparer.Ordinal) { [name] = later } };
    });

    public override Task<TransactWriteItemsResponse> TransactWriteItemsAsync(TransactWriteItemsRequest request, CancellationToken cancellationToken = default) => Call(() =>
    {
        Bound(request.TransactItems.Count, 100);
        if (cloud.Chance(cloud.Faults.Conflict))
            throw Cancelled(request.TransactItems.Select((_, i) => i == 0 ? "TransactionConflict" : "None"));
        var holds = request.TransactItems.ConvertAll(item => item switch
        {
            { Put: { } put } => table.Holds(put.Item, put.ConditionExpression, put.ExpressionAttributeValues),
            { Delete: { } delete } => table.Holds(delete.Key, delete.ConditionExpression, delete.ExpressionAttributeValues),
            _ => throw new NotSupportedException("a transaction with something else than puts and deletes"),
        });
        if (holds.Contains(false))
            throw Cancelled(holds.Select(h => h ? "None" : "ConditionalCheckFailed"));
        foreach (var item in request.TransactItems)
        {
            if (item.Put is { } put)
                table.Put(put.Item);
            else
                table.Delete(item.Delete.Key);
        }
        return new TransactWriteItemsResponse();
    }, isOnce: true);

    public override Task<QueryResponse> QueryAsync(QueryRequest request, CancellationToken cancellationToken = default) => Call(() => table.Query(request));

    private static TransactionCanceledException Cancelled(IEnumerable<string> codes) =>
        new("cancelled") { CancellationReasons = [.. codes.Select(code => new CancellationReason { Code = code })] };

    private void Bound(int count, int most)
    {
        if (count > most || count == 0)
            cloud.Oracle.Violated($"{count} items in one call, where at most {most} may be");
    }

    private Task<T> Call<T>(Func<T> apply, bool isOnce = false) => cloud.CallAsync<T>(process, apply, () => cloud.Chance(0.5)
        ? new ProvisionedThroughputExceededException("throttled")
        : new AmazonDynamoDBException("unavailable") { ErrorCode = "InternalServerError", StatusCode = HttpStatusCode.InternalServerError }, isOnce);
}
