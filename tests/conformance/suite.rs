//! The list of cases.

/// Makes a module with a test for each case, on what the fixture opens.
macro_rules! job_store_conformance {
    ($database:ident, $open:path) => {
        $crate::suite::cases! { $database, $open,
            inbox {
                jobs_come_back_as_they_are_kept_in_the_given_order
                a_job_of_the_future_is_scheduled_and_any_other_available
                the_first_entry_of_a_history_is_the_first_state
                an_id_that_is_there_already_fails_the_whole_call
                an_empty_list_adds_nothing
                a_job_that_waits_is_cancelled_at_once_and_a_second_time_is_over
                a_running_job_is_marked_and_goes_on
                a_job_that_is_not_there_is_neither_cancelled_nor_retried
                a_retry_forgets_the_end_and_grants_an_attempt
                a_retry_of_a_waiting_job_makes_it_available_now
                a_running_job_is_not_retried
                a_job_after_a_delay_waits_from_its_enqueue_on
                an_id_that_is_twice_in_a_list_fails_the_whole_call
                a_retryable_job_is_cancelled_at_once
                a_job_that_is_over_stays_as_it_is_when_it_is_cancelled
                a_retry_counts_crashes_and_host_faults_anew
                a_retry_forgets_that_somebody_wanted_the_job_cancelled
                a_retry_adds_no_attempt_where_some_are_left_and_keeps_those_that_were
                a_time_limit_beyond_all_measure_is_kept_as_the_longest
            }
            queue {
                a_claim_raises_lease_and_attempt_and_names_the_worker
                jobs_are_claimed_by_priority_then_run_at_then_id
                no_job_is_handed_out_twice
                a_claim_takes_no_more_than_its_limit
                a_claim_takes_only_the_given_tasks
                a_claim_for_nothing_takes_nothing
                a_completed_job_has_its_output_its_artifacts_and_an_end
                a_failed_attempt_waits_for_its_delay
                an_attempt_that_does_not_count_is_given_back
                a_stale_lease_cannot_finish_a_job
                a_finish_that_is_repeated_is_stale
                one_stale_finish_does_not_hold_up_the_others
                a_wish_to_cancel_that_came_before_the_finish_holds
                artifacts_of_a_failed_attempt_are_not_kept
                a_report_is_seen_at_once_and_the_next_claim_starts_anew
                a_stale_report_writes_nothing
                steps_and_lines_keep_their_order
                a_checkpoint_outlives_its_attempt_and_ends_with_the_job
                a_stale_checkpoint_is_not_kept
                only_available_jobs_are_claimed
                an_attempt_keeps_its_error_and_the_history_its_reason
                the_number_of_an_attempt_that_does_not_count_stays_in_its_record
                a_wait_without_end_stops_at_the_last_time_that_is_kept
                a_later_attempts_artifact_takes_the_place_of_an_earlier_one
                a_stale_finish_writes_nothing
                an_old_and_the_present_lease_of_one_job_may_be_in_one_list
                a_list_is_written_as_a_whole_or_not_at_all
                a_job_that_is_not_there_cannot_be_finished
                a_wish_to_cancel_that_came_while_the_attempt_failed_cancels_the_job
                a_wish_to_cancel_does_not_change_an_end_that_is_final
                a_lease_that_was_never_given_out_holds_nothing
                a_job_that_does_not_run_takes_no_report
                what_a_handler_wrote_comes_back_as_it_was
                a_stale_lease_cannot_keep_a_checkpoint
            }
            directory {
                what_is_not_there_is_empty
                a_page_says_where_the_next_one_starts
                each_filter_narrows_the_list
                a_history_is_read_from_where_the_reader_stopped
                the_running_attempt_comes_last_without_an_end
                the_database_answers
                a_full_last_page_has_no_next
                what_is_enqueued_between_two_pages_is_on_neither
                a_tag_is_matched_as_a_whole_and_filters_add_up
                a_list_shows_the_newest_progress_too
                a_log_is_read_from_where_the_reader_stopped
                artifacts_come_by_name
            }
            upkeep {
                jobs_that_are_due_become_available_the_earliest_first
                a_job_that_is_not_due_stays
                the_next_due_time_is_told
                a_job_of_a_dead_worker_is_taken_away_and_costs_no_attempt
                a_job_of_a_living_worker_stays
                a_job_of_a_worker_that_is_not_there_is_taken_away
                a_rescue_is_bounded
                a_job_of_three_dead_workers_is_discarded
                a_rescued_job_keeps_what_it_told
                a_job_that_its_worker_does_not_know_of_is_handed_back
                a_job_that_its_worker_holds_or_has_just_claimed_is_not_handed_back
                handing_back_is_bounded
                a_worker_that_was_rescued_from_cannot_finish
                a_heartbeat_says_which_jobs_are_to_be_cancelled
                a_forgotten_worker_is_registered_again_by_its_heartbeat
                the_others_can_be_declared_dead
                a_promoted_job_keeps_its_attempts_and_has_the_change_in_its_history
                jobs_that_run_or_are_over_are_neither_promoted_nor_due
                a_retryable_job_is_waited_for_too
                only_running_jobs_are_rescued
                a_rescue_is_an_attempt_and_an_entry_of_the_history
                a_lost_job_that_somebody_wants_cancelled_is_cancelled
                a_registered_worker_has_a_lease_from_now_and_a_beat_leaves_its_start
                a_heartbeat_is_silent_about_jobs_that_ended
                a_lease_that_has_run_out_is_not_ended_again
                workers_are_listed_by_their_start_and_removed_one_by_one
            }
        }
    };
}

/// Writes the tests.
macro_rules! cases {
    ($database:ident, $open:path, $($noun:ident { $($case:ident)* })*) => {
        mod $database {
            $(mod $noun {
                $(
                    #[tokio::test]
                    async fn $case() {
                        crate::$noun::$case(&$open().await).await;
                    }
                )*
            })*
        }
    };
}

pub(crate) use {cases, job_store_conformance};
