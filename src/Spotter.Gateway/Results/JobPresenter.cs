using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>Shows rows together with what is only true at this moment: place in the queue and expected time.</summary>
internal sealed class JobPresenter(JobService jobs, IOutbox outbox)
{
    public async Task<JobView> ShowAsync(Job job, CancellationToken cancel) => (await ShowAsync([job], cancel))[0];

    public async Task<IReadOnlyList<JobView>> ShowAsync(IReadOnlyList<Job> rows, CancellationToken cancel)
    {
        var views = new List<JobView>(rows.Count);
        foreach (var status in await jobs.StatusAsync(rows, cancel))
        {
            var view = JobView.Of(status);
            views.Add(status.Job.Notify.FirstOrDefault(n => n.Channel == ChannelNames.Webhook) is { } callback ? view with { Callback = await ShowAsync(callback, status.Job, cancel) } : view);
        }
        return views;
    }

    private async Task<CallbackView> ShowAsync(JobNotification callback, Job job, CancellationToken cancel)
    {
        // The deliveries before the newest one tell of ends before a redrive.
        var deliveries = job.State.IsTerminal() ? await outbox.OfAsync(job.Id, cancel) : [];
        return CallbackView.Of(callback, deliveries.LastOrDefault(d => d.Channel == callback.Channel && d.Target == callback.Target));
    }
}
