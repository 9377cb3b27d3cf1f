using System.Globalization;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Spotter.Cli.Remote;

namespace Spotter.Cli.Load;

/// <summary>Reads from a service what became of jobs; a service that is away for a moment is asked again by whoever wants to know.</summary>
internal sealed class JobReader(ServiceClient service, LoadLedger ledger, LoadClock clock)
{
    /// <summary>Jobs in one page of the list: as many as the service gives.</summary>
    public const int LongestPage = 500;

    /// <summary>A page of the list.</summary>
    /// <param name="limit">Jobs in it.</param>
    /// <param name="after">The job before the page; null for the newest.</param>
    /// <param name="cancel">Ends the request.</param>
    /// <returns>Null when the service is away.</returns>
    public Task<ServiceJobs?> PageAsync(int limit, string? after, CancellationToken cancel) =>
        AskAsync<ServiceJobs?>(
            string.Create(CultureInfo.InvariantCulture, $"/v1/jobs?limit={limit}{(after is null ? "" : "&after=" + after)}"),
            async (response, limited) =>
            {
                if (response.StatusCode != HttpStatusCode.OK)
                    return null;
                await using var content = await response.Content.ReadAsStreamAsync(limited);
                return await JsonSerializer.DeserializeAsync(content, ServiceJson.Default.ServiceJobs, limited);
            }, cancel);

    /// <summary>Looks at one job and takes down what there is to see.</summary>
    /// <returns>False when the service is away.</returns>
    public Task<bool> LookAsync(LedgerEntry entry, CancellationToken cancel) =>
        AskAsync($"/v1/jobs/{entry.Id}", async (response, limited) =>
        {
            if (response.StatusCode == HttpStatusCode.NotFound)
            {
                ledger.Miss(entry);
                return true;
            }
            if (response.StatusCode != HttpStatusCode.OK)
                return false;
            await using var content = await response.Content.ReadAsStreamAsync(limited);
            if (await JsonSerializer.DeserializeAsync(content, ServiceJson.Default.ServiceJob, limited) is not { } job)
                return false;
            ledger.See(job, clock.Now);
            return true;
        }, cancel);

    /// <summary>Follows the events of one job to its end, or to that of the stream.</summary>
    public async Task FollowAsync(LedgerEntry entry, CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/jobs/{entry.Id}/events");
            using var response = await service.SendAsync(request, cancel);
            if (response.StatusCode != HttpStatusCode.OK)
                return;
            await using var stream = await response.Content.ReadAsStreamAsync(cancel);
            await foreach (var item in SseParser.Create(stream, (_, data) => JsonSerializer.Deserialize(data, ServiceJson.Default.ServiceJob)).EnumerateAsync(cancel))
            {
                if (item.Data is not { } job)
                    continue;
                ledger.See(job, clock.Now);
                if (job.IsTerminal)
                    return;
            }
        }
        catch (Exception away) when (away is HttpRequestException or IOException or JsonException)
        {
            // Whoever follows looks again.
        }
    }

    private async Task<T?> AskAsync<T>(string path, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ServiceClient.Patience);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            using var response = await service.SendAsync(request, limit.Token);
            return await read(response, limit.Token);
        }
        catch (Exception away) when (away is HttpRequestException or IOException or JsonException
            || (away is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return default;
        }
    }
}
