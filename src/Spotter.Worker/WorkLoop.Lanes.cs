using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>What lanes run, and what is given back unrun.</summary>
public sealed partial class WorkLoop
{
    private void RunLane()
    {
        Work? next = null;
        var lane = new Lane(runner.DecodingOfThisThread());
        while (next is not null || ready.Take(out next))
        {
            var first = next;
            next = null;
            if (IsUnwanted(first))
            {
                GiveBack(first, Drained);
                continue;
            }
            var together = Gather(first, out next);
            var inputs = together.ConvertAll(work => new JobInput(work.Job, work.Inputs, work, work.Unwanted) { Outputs = new OutputFiles(work.Folder.NewFile, work.Limits.OutputBytes) });
            // Not on its time: the others may take long.
            using var room = runner.Enter(inputs, first.Unwanted);
            foreach (var work in together)
            {
                work.Lane = lane;
                work.RunningSince = time.GetTimestamp();
            }
            // What is logged on the way names the first of them.
            using var trace = JobTracing.Within(first.Job.Spec);
            var ran = runner.Run(inputs);
            Ran(together, time.GetElapsedTime(first.RunningSince!.Value));
            for (var i = 0; i < together.Count; i++)
            {
                together[i].RunningSince = null;
                if (!together[i].Done.TrySetResult(ran[i]))
                    ran[i].Dispose();
            }
            Interlocked.Exchange(ref laneFreed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        }
    }

    /// <summary>As many ready jobs of the same kind as are best run at once; of the next kind, the one that was taken to see.</summary>
    private List<Work> Gather(Work first, out Work? next)
    {
        next = null;
        List<Work> together = [first];
        if (first.Job.Isolated)
            return together;
        if (ready.Count >= settings.Lanes && runner.AtOnce(first.Job, runner.MostAtOnce) > 1)
            HoldMore();
        // Other lanes want their share of what is ready.
        var most = runner.AtOnce(first.Job, 1 + ((ready.Count + settings.Lanes - 1) / settings.Lanes));
        while (together.Count < most && ready.TryTake(out var other))
        {
            if (IsUnwanted(other))
                GiveBack(other, Drained);
            else if (other.Job.Queue == first.Job.Queue && !other.Job.Isolated)
                together.Add(other);
            else
                next = other;
            if (next is not null)
                break;
        }
        return together;
    }

    /// <summary>
    /// From now on enough jobs are taken ahead for lanes to run several at once. Only lanes that run a job get here, so
    /// never while one runs alone.
    /// </summary>
    private void HoldMore()
    {
        heldForBatches = settings.Lanes * (1 + runner.MostAtOnce);
        SetSlots();
    }

    /// <summary>True while no lane is likely to be free soon.</summary>
    private bool AreLanesTaken() => held.Values.Where(work => !work.Lost && RunsLongerThan(work, LongRun)).Select(work => work.Lane).Distinct().Count() >= settings.Lanes;

    private bool IsUnwanted(Work work) => work.Lost || drain.IsDraining;

    private static void GiveBack(Work work, JobError why) => work.Done.TrySetResult(new JobRun(new JobOutcome.Retry(why, SpendAttempt: false)));
}
