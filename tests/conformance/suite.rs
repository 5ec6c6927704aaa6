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
            }
            directory {
                what_is_not_there_is_empty
                a_page_says_where_the_next_one_starts
                each_filter_narrows_the_list
                a_history_is_read_from_where_the_reader_stopped
                the_running_attempt_comes_last_without_an_end
                the_database_answers
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
                a_worker_that_was_rescued_from_cannot_finish
                a_heartbeat_says_which_jobs_are_to_be_cancelled
                a_forgotten_worker_is_registered_again_by_its_heartbeat
                the_others_can_be_declared_dead
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
