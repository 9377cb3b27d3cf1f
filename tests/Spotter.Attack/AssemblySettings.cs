// Real processes on few cores: more at once would only make all of them slow.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
