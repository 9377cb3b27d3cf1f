namespace Spotter.Backends.Local;

/// <summary>
/// One unit of work for the writer: runs whole or not at all, and is answered either once it is durable or as soon
/// as it has run.
/// </summary>
internal abstract class WriteWork
{
    /// <summary>Answered as soon as it has run: for what a queue may lose.</summary>
    public bool AnswersEarly { get; init; }

    /// <summary>True when nobody waits for it any more and it has not run; it is then dropped.</summary>
    public abstract bool DropIfCancelled();

    /// <summary>Does it. May be called again when the group it ran in was taken back.</summary>
    public abstract void Run(WriteScope scope);

    /// <summary>It is done. Only the first answer or failure is heard.</summary>
    public abstract void Answer();

    /// <summary>It was not done. Only the first answer or failure is heard.</summary>
    public abstract void Fail(Exception error);
}

/// <summary>A unit of work that gives a value.</summary>
internal sealed class WriteWork<T>(Func<WriteScope, T> body, CancellationToken cancel) : WriteWork
{
    private readonly TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? value;

    public Task<T> Answered => answer.Task;

    public override bool DropIfCancelled() => cancel.IsCancellationRequested && answer.TrySetCanceled(cancel);

    public override void Run(WriteScope scope) => value = body(scope);

    public override void Answer() => answer.TrySetResult(value!);

    public override void Fail(Exception error) => answer.TrySetException(error);
}
