namespace Spotter.Jobs;

/// <summary>When a job that comes now would begin. Pure arithmetic on what is measured.</summary>
internal static class StartForecast
{
    /// <summary>Seconds until a lane is free for it; null when nobody knows, since there is no worker and none will be started from here.</summary>
    /// <param name="work">What is to be done before, in seconds of one lane.</param>
    /// <param name="lanes">Jobs that run at a time now.</param>
    /// <param name="mostLanes">Jobs that run at a time once all workers are there.</param>
    /// <param name="boot">Seconds until further workers are there.</param>
    public static double? Seconds(double work, int lanes, int mostLanes, double boot)
    {
        var most = Math.Max(lanes, mostLanes);
        if (most == 0)
            return null;
        if (lanes > 0 && work <= lanes * boot)
            return work / lanes;
        // A fleet that grows is not judged by the few that are there already.
        return most == lanes ? work / lanes : boot + ((work - (lanes * boot)) / most);
    }
}
