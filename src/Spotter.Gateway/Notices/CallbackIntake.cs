using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Notices;

/// <summary>Checks the callback that a request asks for, so that what can't be sent is refused before it is accepted.</summary>
internal sealed class CallbackIntake(CallbackGuard guard, NoticeSettings settings)
{
    /// <summary>Does nothing when it is well.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.CallbackForbidden"/>, <see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public void Check(JobCallback? callback)
    {
        if (callback is null)
            return;
        guard.Check(callback.Url);
        if (callback.Secret is { } secret && !WebhookSecret.TryParse(secret, out _))
        {
            throw new SpotterException(ErrorCodes.InvalidRequest,
                $"The field 'callback_secret' is not a secret as Standard Webhooks writes it; send {WebhookSecret.Prefix} and {WebhookSecret.LeastBytes} to {WebhookSecret.MostBytes} bytes in Base64, or up to {WebhookSecret.MostAtOnce} of them with spaces between.");
        }
        if (callback.Secret is null && settings.Secrets.Count == 0)
            throw new SpotterException(ErrorCodes.InvalidRequest, "This deployment has no secret of its own to sign notices with; send one as 'callback_secret'.");
    }
}
