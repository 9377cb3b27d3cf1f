using Spotter.Core;

namespace Spotter.Tests;

public sealed class SupervisionTests
{
    [Fact]
    public async Task The_first_error_is_told_and_what_ends_in_order_is_not()
    {
        var (orderly, failing) = (new TaskCompletionSource(), new TaskCompletionSource());
        var failed = Supervision.FirstErrorAsync(orderly.Task, failing.Task);

        orderly.SetResult();
        failed.IsCompleted.ShouldBeFalse();
        failing.SetException(new IOException("The disk is gone."));

        (await failed.WaitAsync(TimeSpan.FromSeconds(30))).Message.ShouldBe("The disk is gone.");
    }

    [Fact]
    public void Nothing_is_told_when_all_end_in_order_or_are_cancelled()
    {
        Supervision.FirstErrorAsync(Task.CompletedTask, Task.FromCanceled(new CancellationToken(canceled: true))).IsCompleted.ShouldBeFalse();
        Supervision.FirstErrorAsync().IsCompleted.ShouldBeFalse();
    }
}
