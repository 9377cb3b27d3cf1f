using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Spotter.Cli.Remote;
using Spotter.Core;
using Spotter.Gateway.Results;
using Spotter.Jobs;

namespace Spotter.Cli.Queue;

/// <summary>What can be asked of and done to the queue of a running service.</summary>
internal sealed class QueueClient(ServiceClient service)
{
    private const int LongestPage = 500;
    private const int IdsPerRedrive = 1000;
    private const int CancelsAtATime = 8;

    /// <summary>Backlog and workers, as the service tells them.</summary>
    public Task<JsonElement> StatsAsync(CancellationToken cancel) => service.GetAsync("/v1/stats", ServiceJson.Default.JsonElement, cancel);

    /// <summary>Jobs of a list, newest first, as the service tells them.</summary>
    /// <param name="path"><c>/v1/jobs</c> or <c>/v1/dead</c>.</param>
    /// <param name="filter">Query parameters; those without a value are left out.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancel">Ends it.</param>
    public async IAsyncEnumerable<JsonElement> ListAsync(
        string path, IReadOnlyList<(string Name, string? Value)> filter, int limit, [EnumeratorCancellation] CancellationToken cancel)
    {
        var query = string.Concat(filter.Where(f => f.Value is not null).Select(f => $"&{f.Name}={Uri.EscapeDataString(f.Value!)}"));
        string? after = null;
        do
        {
            var wanted = Math.Min(limit, LongestPage);
            var page = await service.GetAsync(
                string.Create(CultureInfo.InvariantCulture, $"{path}?limit={wanted}{query}{(after is null ? "" : "&after=" + after)}"),
                ServiceJson.Default.RawJobs, cancel);
            foreach (var job in page.Jobs.Take(limit))
                yield return job;
            limit -= page.Jobs.Count;
            after = page.Next;
        }
        while (after is not null && limit > 0);
    }

    /// <summary>Puts dead jobs back into their queues; how many that were.</summary>
    public async Task<int> RedriveAsync(RedriveRequest request, CancellationToken cancel)
    {
        if (request.Ids is not { Count: > IdsPerRedrive } many)
            return await RedriveSomeAsync(request, cancel);
        var sum = 0;
        foreach (var ids in many.Chunk(IdsPerRedrive))
            sum += await RedriveSomeAsync(new RedriveRequest(Ids: ids), cancel);
        return sum;
    }

    /// <summary>Cancels jobs; those that could not be are given to <paramref name="onRefused"/> one at a time.</summary>
    /// <returns>How many were cancelled.</returns>
    public async Task<int> CancelAsync(IReadOnlyList<string> ids, Action<string, SpotterException> onRefused, CancellationToken cancel)
    {
        var cancelled = 0;
        var gate = new Lock();
        await Parallel.ForEachAsync(ids, new ParallelOptions { MaxDegreeOfParallelism = CancelsAtATime, CancellationToken = cancel }, async (id, stop) =>
        {
            try
            {
                if (!JobId.TryParse(id, out _) && !JobId.IsPrefix(id))
                    throw new SpotterException(ErrorCodes.NotFound, $"{id} is no job id, which has {JobId.Length} hexadecimal digits, of which the first {JobId.ShortestPrefix} or more are enough where no other job has them; `spotter queue list` shows them.");
                await service.CallAsync(HttpMethod.Delete, $"/v1/jobs/{id}", body: null, ServiceJson.Default.JsonElement, stop);
                Interlocked.Increment(ref cancelled);
            }
            catch (SpotterException refused) when (refused.Code is ErrorCodes.NotFound or ErrorCodes.NotCancellable or ErrorCodes.InvalidRequest)
            {
                lock (gate)
                    onRefused(id, refused);
            }
        });
        return cancelled;
    }

    private async Task<int> RedriveSomeAsync(RedriveRequest request, CancellationToken cancel) =>
        (await service.CallAsync(
            HttpMethod.Post, "/v1/dead/redrive", JsonSerializer.Serialize(request, ResultsJson.Default.RedriveRequest), ResultsJson.Default.RedriveView, cancel)).Redriven;
}
