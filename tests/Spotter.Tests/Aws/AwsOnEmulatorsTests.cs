using Spotter.Backends.S3;
using Spotter.Jobs;
using Spotter.Tests.Images;

namespace Spotter.Tests.Aws;

// Without the suites of the outbox and the inbox, in which all that is written is a transaction.
[NeedsEmulators]
[Collection(Emulators.Name)]
[Lacks(Ability.Order, "SQS delivers messages in any order, and nobody counts places.")]
[Skips(
    Emulators.NoTransactions,
    nameof(A_blob_that_jobs_share_is_kept_until_the_last_of_them_expires), nameof(A_blob_that_jobs_share_outlives_the_row_of_one_of_them),
    nameof(A_blob_that_one_of_its_jobs_is_named_after_is_kept_until_the_last_of_them_expires), nameof(A_dead_job_without_its_inputs_stays_dead),
    nameof(A_job_whose_leases_keep_running_out_dies), nameof(A_key_is_free_again_when_its_row_is_deleted),
    nameof(A_known_key_gives_the_job_as_it_stands), nameof(A_queue_is_told_of_when_jobs_come), nameof(A_row_that_has_ended_never_changes),
    nameof(A_search_for_ids_tells_few_and_looks_at_a_bounded_number), nameof(An_accepted_job_is_there_as_it_was_sent),
    nameof(Answers_come_in_the_order_of_the_jobs_and_a_key_repeated_among_them_makes_one), nameof(Blobs_of_all_jobs_expire_batch_by_batch),
    nameof(Blobs_of_expired_and_purged_jobs_are_unknown), nameof(Blobs_of_jobs_that_ended_long_ago_expire_once),
    nameof(Files_of_a_purged_job_are_unknown), nameof(Files_pass_to_the_job_that_takes_over_the_cached_result),
    nameof(Files_that_a_job_made_are_in_its_row_and_are_kept_and_expire_with_it), nameof(One_key_sent_by_many_at_once_makes_one_job),
    nameof(Rows_are_found_by_their_keys), nameof(Rows_that_ended_long_ago_are_deleted_and_no_others),
    nameof(The_backlog_is_known_for_each_queue_and_level), nameof(The_beginning_of_an_id_finds_those_that_have_it_and_no_others),
    nameof(The_number_of_jobs_that_have_ended_never_falls), nameof(What_workers_did_is_counted_by_queue_and_never_falls),
    nameof(Whoever_takes_a_lease_back_and_whoever_finishes_it_do_not_both_win))]
public sealed class AwsJobStoreOnEmulatorsTests(Emulators emulators) : AwsJobStoreConformance(emulators);

[NeedsEmulators]
[Collection(Emulators.Name)]
[Lacks(Ability.Order, "SQS delivers messages in any order, and nobody counts places.")]
[Skips(
    Emulators.NoTransactions,
    nameof(A_key_that_comes_with_something_else_is_refused), nameof(A_lease_with_heartbeats_is_kept), nameof(A_list_says_whether_there_is_more),
    nameof(A_submission_sent_twice_under_one_key_runs_once), nameof(An_internal_job_is_made_once_and_not_listed),
    nameof(Blobs_that_no_job_speaks_of_go_when_they_are_old), nameof(Each_input_makes_a_job_or_all_make_one),
    nameof(Files_are_there_for_as_long_as_any_job_has_them), nameof(Of_a_request_that_is_refused_once_it_was_written_nothing_is_run),
    nameof(Old_blobs_go_and_then_old_rows), nameof(Tenants_share_neither_jobs_nor_keys), nameof(Whatever_happens_each_job_ends_once))]
public sealed class AwsJobServiceOnEmulatorsTests(Emulators emulators) : AwsJobServiceConformance(emulators);

[NeedsEmulators]
[Collection(Emulators.Name)]
public sealed class AwsControllerLeaseOnEmulatorsTests(Emulators emulators) : AwsControllerLeaseConformance(emulators);

[NeedsEmulators]
[Collection(Emulators.Name)]
public sealed class AwsModelRegistryOnEmulatorsTests(Emulators emulators) : AwsModelRegistryConformance(emulators);

[NeedsEmulators]
[Collection(Emulators.Name)]
public sealed class S3BlobStoreOnEmulatorsTests(Emulators emulators) : BlobStoreConformance
{
    private S3BlobStore store = null!;

    protected override async Task<IBlobStore> OpenAsync() => store = new S3BlobStore(await emulators.NewBucketAsync("Über uns/100% + a=b&c #1/$(x)"), TimeProvider.System);

    protected override Task CloseAsync()
    {
        store.Dispose();
        return Task.CompletedTask;
    }
}

[NeedsEmulators]
[Collection(Emulators.Name)]
public sealed class S3LinksOnEmulatorsTests(Emulators emulators) : S3LinksConformance
{
    private protected override Task<S3Settings> NewBucketAsync(string prefix) => emulators.NewBucketAsync(prefix);
}
