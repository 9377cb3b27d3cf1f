using Spotter.Gateway.Models;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>Shows rows together with what is only true at this moment: place in the queue and expected time.</summary>
internal sealed class JobPresenter(IJobStore store, INoticeStore notices, Estimator estimator, UnservedQueues unserved)
{
    public async Task<JobView> ShowAsync(Job job, CancellationToken cancel)
    {
        var view = await ShowStateAsync(job, cancel);
        if (job.Callback is not { } callback)
            return view;
        // The notices before the newest one tell of ends before a redrive.
        var sent = job.State.IsTerminal() ? await notices.OfAsync(job.Id, cancel) : [];
        return view with { Callback = CallbackView.Of(callback, sent is [.., var newest] ? newest : null) };
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
