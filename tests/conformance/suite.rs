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
                a_nul_in_a_text_is_replaced_and_json_stays_as_it_is
                the_bill_of_an_attempt_is_kept_with_it_and_the_last_with_its_job
            }
            claim {
                the_first_jobs_over_all_queues_are_claimed
                a_paused_queue_gives_nothing_until_it_is_resumed
                no_more_jobs_of_a_queue_run_than_it_allows
                a_full_queue_holds_up_no_other
                what_others_run_counts_too
                no_more_jobs_start_within_a_period_than_the_rate_allows
                a_rate_holds_from_the_first_claim_on
                a_rate_says_when_it_leaves_room_again
                two_claims_at_once_keep_the_limit
                no_more_jobs_of_a_key_run_than_the_queue_allows
                keys_do_not_hold_up_one_another
                a_long_row_of_jobs_whose_key_is_taken_holds_up_none_behind_it
                two_claims_at_once_keep_the_limit_for_each_key
                a_key_counts_in_its_own_queue_only
                an_expired_job_is_not_claimed
                a_limit_of_no_queue_counts_jobs_of_another
                two_claims_at_once_keep_the_rate
                no_more_of_a_task_are_claimed_than_it_has_room_for
                the_room_of_a_task_is_one_over_all_queues
            }
            janitor {
                one_worker_leads_until_its_lease_runs_out
                the_term_goes_up_with_each_change_of_hands
                whoever_resigns_need_not_be_waited_for
                a_role_is_led_apart_from_the_others
                of_many_that_want_to_lead_at_once_one_does
                finished_jobs_are_removed_by_their_age_the_oldest_first
                jobs_of_other_states_and_queues_stay
                all_that_belongs_to_a_job_goes_with_it
                a_job_whose_dependents_are_to_be_seen_to_stays
                a_prune_that_is_made_by_two_at_once_removes_each_job_once
                jobs_that_are_not_there_are_unknown
                answers_are_forgotten_after_a_day
                operations_are_forgotten_a_while_after_their_end
                a_worker_is_forgotten_long_after_its_lease_if_it_holds_nothing
            }
            ledger {
                jobs_of_which_the_same_is_kept_are_counted_together
                only_the_jobs_of_the_queue_are_counted
                each_end_is_in_the_slice_of_its_time
                a_span_runs_from_when_a_job_was_due_or_from_a_given_time
                half_and_ninety_nine_of_a_hundred_took_no_longer
                each_worker_has_the_attempts_that_it_ended
                the_database_says_how_durable_a_commit_is
                the_clock_of_the_books_is_the_one_that_jobs_are_stamped_with
                of_a_queue_that_is_not_there_nothing_is_known
            }
            operations {
                an_operation_is_kept_as_it_was_asked_for
                a_step_does_a_page_of_jobs_and_the_next_goes_on_behind_it
                each_kind_of_job_is_cancelled_as_by_itself
                each_kind_of_job_is_retried_as_by_itself
                a_step_looks_through_a_bounded_number_of_jobs
                jobs_that_came_later_stay
                a_filter_narrows_what_is_done
                steps_that_are_made_at_once_do_each_job_once
                the_oldest_operation_comes_first
                an_operation_that_is_not_there_is_none
            }
            queues {
                a_queue_is_there_from_its_first_job_on
                what_a_change_does_not_name_stays
                limits_may_be_set_before_the_first_job
                a_queue_that_is_paused_already_keeps_its_time
                a_queue_that_is_not_there_is_not_found
                queues_are_listed_by_name
                the_longest_wait_is_found_behind_every_priority
                counts_are_what_is_there_after_every_kind_of_change
                folding_leaves_the_counts_as_they_are
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
                a_nul_in_a_filter_finds_nothing
            }
            unique {
                the_holder_of_a_key_stands_for_a_later_job_until_it_ends
                a_job_goes_on_holding_its_key_in_the_final_states_it_names
                a_key_that_is_held_can_refuse_the_whole_submission
                a_later_job_replaces_the_arguments_of_one_that_has_not_started
                a_key_is_held_within_one_call_too
                what_a_refused_submission_would_have_held_is_free
                of_many_at_once_one_holds_the_key
                a_retry_does_not_take_a_key_that_another_job_holds
                the_same_request_gets_the_same_answer_for_a_day
                the_same_request_twice_in_one_call_is_done_once
                of_the_same_request_many_times_at_once_one_is_done
                a_refusal_is_not_kept
                a_job_enqueues_the_same_child_once
                a_job_that_was_taken_away_enqueues_nothing
                a_job_that_it_is_too_late_for_is_neither_started_nor_kept_waiting
                an_expiry_is_bounded
            }
            dependencies {
                a_job_waits_for_all_that_it_comes_after
                a_job_after_one_that_has_completed_waits_for_nothing
                a_job_that_waited_for_others_still_waits_for_its_time
                a_chain_breaks_where_a_job_is_discarded_and_all_after_it_are_cancelled
                a_job_may_run_whatever_became_of_those_before_it
                a_cancel_settles_what_comes_after_it
                a_job_that_waits_is_cancelled_and_later_released_by_nobody
                a_retry_by_hand_waits_for_nothing
                parents_that_end_in_one_list_release_their_child_once
                parents_that_end_at_the_same_time_release_their_child_once
                a_job_that_is_enqueued_while_the_one_before_it_ends_is_not_forgotten
                what_several_see_to_at_once_is_settled_once
                a_job_with_thousands_of_dependents_ends_in_bounded_work_and_upkeep_goes_on
                a_rescue_that_discards_settles_what_comes_after
            }
            key_values {
                what_one_job_sets_a_later_one_gets
                no_task_and_no_store_sees_anothers_keys
                a_stale_lease_changes_no_value
                a_store_holds_no_more_than_its_bound
                a_bound_that_was_lowered_lets_values_shrink
                several_values_are_set_together_or_not_at_all
                numbers_are_counted_and_what_is_none_stays
                two_that_count_at_once_lose_nothing
                a_swap_loses_against_who_was_first
                keys_are_listed_page_by_page_also_while_some_go
                a_job_that_is_over_changes_no_value
            }
            versions {
                a_new_version_is_kept_and_in_service
                a_component_is_kept_byte_for_byte
                a_version_that_is_in_service_changes_nothing
                a_file_that_is_sent_too_is_served_everywhere_and_stays_so
                a_known_file_says_nothing_at_the_start_and_what_is_wanted_later
                a_pinned_task_keeps_what_comes_and_serves_what_it_served
                a_rollback_goes_to_the_version_before_or_to_a_named_one
                of_many_rollbacks_by_itself_one_is_done
                the_versions_that_were_used_longest_ago_are_freed
                a_deleted_task_serves_nothing_and_its_file_does_not_bring_it_back
                tasks_are_apart_from_one_another_and_listed_by_name
                a_history_is_short
                workers_say_what_they_serve_and_are_forgotten_with_it
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
