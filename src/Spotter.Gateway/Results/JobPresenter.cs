using Spotter.Gateway.Models;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>Shows rows together with what is only true at this moment: place in the queue and expected time.</summary>
internal sealed class JobPresenter(IJobStore store, IOutbox outbox, Estimator estimator, UnservedQueues unserved)
{
    public async Task<JobView> ShowAsync(Job job, CancellationToken cancel)
    {
        var view = await ShowStateAsync(job, cancel);
        if (job.Notify.FirstOrDefault(n => n.Channel == ChannelNames.Webhook) is not { } callback)
            return view;
        // The deliveries before the newest one tell of ends before a redrive.
        var deliveries = job.State.IsTerminal() ? await outbox.OfAsync(job.Id, cancel) : [];
        return view with { Callback = CallbackView.Of(callback, deliveries.LastOrDefault(d => d.Channel == callback.Channel && d.Target == callback.Target)) };
    }

    private async Task<JobView> ShowStateAsync(Job job, CancellationToken cancel)
    {
        if (job.State.IsTerminal())
            return JobView.Of(job);
        var position = job.State == JobState.Queued ? await store.PositionAsync(job.Id, cancel) : null;
        return JobView.Of(job, position, estimator.EtaSeconds(job.State, position ?? 0), job.State == JobState.Queued ? unserved.ReasonFor(job.Queue) : null);
    }

    public async Task<IReadOnlyList<JobView>> ShowAsync(IReadOnlyList<Job> jobs, CancellationToken cancel)
    {
        var views = new List<JobView>(jobs.Count);
        foreach (var job in jobs)
            views.Add(await ShowAsync(job, cancel));
        return views;
    }
}
