namespace Spotter.Core;

/// <summary>Every stable <c>code</c> that a refusal or a failed job can carry. Codes are never renamed.</summary>
public static class ErrorCodes
{
    // What came in
    /// <summary>No bytes came.</summary>
    public const string EmptyBody = "empty_body";
    /// <summary>The request is not of the form that the call takes.</summary>
    public const string InvalidRequest = "invalid_request";
    /// <summary>A threshold is not between 0 and 1.</summary>
    public const string ThresholdOutOfRange = "threshold_out_of_range";
    /// <summary>No such engine.</summary>
    public const string UnknownEngine = "unknown_engine";
    /// <summary>No such model here.</summary>
    public const string UnknownModel = "unknown_model";
    /// <summary>The name of an engine that a worker brings is taken, or means something else.</summary>
    public const string EngineConflict = "engine_conflict";
    /// <summary>The model knows no such label.</summary>
    public const string UnknownLabel = "unknown_label";

    /// <summary>No model is loaded at all.</summary>
    public const string NoModel = "no_model";
    /// <summary>More bytes than are taken.</summary>
    public const string BodyTooLarge = "body_too_large";
    /// <summary>More pictures in one request than are taken.</summary>
    public const string TooManyImages = "too_many_images";
    /// <summary>Not one of the kinds of picture that are let in.</summary>
    public const string UnsupportedImage = "unsupported_image";
    /// <summary>Not one of the kinds of file that the engine takes.</summary>
    public const string UnsupportedMedia = "unsupported_media_type";
    /// <summary>HEIC or AVIF, which are not read here.</summary>
    public const string HeicDisabled = "heic_disabled";
    /// <summary>More pixels, or a longer edge, than are decoded.</summary>
    public const string TooManyPixels = "too_many_pixels";
    /// <summary>An option that this deployment does not offer.</summary>
    public const string UnsupportedOption = "unsupported_option";
    /// <summary>The idempotency key came before with another request.</summary>
    public const string IdempotencyMismatch = "idempotency_key_reused";
    /// <summary>Webhook deliveries may not go to this endpoint.</summary>
    public const string CallbackForbidden = "callback_forbidden";
    /// <summary>Pictures may not be fetched from this URL.</summary>
    public const string UrlForbidden = "url_forbidden";
    /// <summary>Nothing could be fetched from this URL.</summary>
    public const string UrlFailed = "url_failed";

    // What was asked for
    /// <summary>There is no such thing.</summary>
    public const string NotFound = "not_found";
    /// <summary>It will exist later: the job has not ended.</summary>
    public const string NotReady = "not_ready";
    /// <summary>The job has ended already.</summary>
    public const string NotCancellable = "already_finished";
    /// <summary>The picture has been deleted because of its age.</summary>
    public const string OriginalExpired = "original_expired";

    // What the picture turned out to be
    /// <summary>The picture ends before it should.</summary>
    public const string ImageTruncated = "image_truncated";
    /// <summary>The picture is damaged.</summary>
    public const string ImageInvalid = "image_invalid";
    /// <summary>Decoding the picture takes more memory or time than is given.</summary>
    public const string ImageTooComplex = "image_too_complex";
    /// <summary>Decoding the picture took longer than a picture may take.</summary>
    public const string DecodeTimeout = "decode_timeout";
    /// <summary>The engine made more, or more files, than a job may.</summary>
    public const string OutputTooLarge = "output_too_large";
    /// <summary>The worker crashed while it decoded the picture.</summary>
    public const string DecodeCrashed = "decode_crashed";
    /// <summary>The stored bytes are not those that were sent.</summary>
    public const string BlobCorrupt = "blob_corrupt";
    /// <summary>The stored bytes are gone.</summary>
    public const string BlobMissing = "blob_missing";

    // Models
    /// <summary>There is no such model file.</summary>
    public const string ModelNotFound = "model_not_found";
    /// <summary>The file is not an ONNX model that can be loaded.</summary>
    public const string ModelInvalid = "model_invalid";
    /// <summary>A model, but none whose outputs are understood.</summary>
    public const string ModelUnsupported = "model_unsupported";
    /// <summary>The model gave numbers that mean nothing.</summary>
    public const string ModelOutputInvalid = "model_output_invalid";

    // Models from the catalogue
    /// <summary>A file could not be had over the network.</summary>
    public const string DownloadFailed = "download_failed";
    /// <summary>What the network gave is not what the catalogue states.</summary>
    public const string DownloadCorrupt = "download_corrupt";
    /// <summary>The licence has to be accepted by name.</summary>
    public const string LicenceNotAccepted = "licence_not_accepted";
    /// <summary>Another file has the name.</summary>
    public const string AlreadyThere = "already_there";

    // The service
    /// <summary>A setting has a value that it can't have.</summary>
    public const string InvalidSettings = "invalid_settings";

    /// <summary>Too much at once; come back later.</summary>
    public const string Busy = "busy";
    /// <summary>One client asks more often than it may.</summary>
    public const string RateLimited = "rate_limited";
    /// <summary>The backlog is too long for the deadline that the sender gave.</summary>
    public const string DeadlineUnmeetable = "deadline_unmeetable";
    /// <summary>The disk is full.</summary>
    public const string DiskFull = "disk_full";
    /// <summary>The job or blob store does not answer.</summary>
    public const string StoreUnavailable = "store_unavailable";
    /// <summary>The token or key is missing or wrong.</summary>
    public const string Unauthorized = "unauthorized";
    /// <summary>The key is good, but not for this.</summary>
    public const string Forbidden = "forbidden";
    /// <summary>A web page of another site made the request.</summary>
    public const string ForeignSite = "foreign_site";

    /// <summary>The lease has passed to someone else.</summary>
    public const string LeaseLost = "lease_lost";
    /// <summary>The worker died while it ran the job.</summary>
    public const string WorkerDied = "worker_died";
    /// <summary>The worker gave no sign of life for too long.</summary>
    public const string LeaseExpired = "lease_expired";
    /// <summary>Nobody had started the job by the time that its sender had set.</summary>
    public const string Expired = "expired";
    /// <summary>The job took longer than a job may take.</summary>
    public const string JobTimeout = "job_timeout";
    /// <summary>A native library is not where it should be.</summary>
    public const string NativeMissing = "native_library_missing";
    /// <summary>A fault of our own.</summary>
    public const string Internal = "internal_error";
}
