// INGEST  what a backend service says to jobs: the public messages, as HTTP and C++ services send them alike.
//
//   service -- create_job, update_job --> directory --> job actor -- job_ack --> service
//
// A C++ service in this process asks a directory shard (`directory_shards::of`), or a job actor itself after
// `find_job`. The messages are inspectable, so they can cross a network.
#pragma once

#include "actors/message.hpp"
#include "core/job.hpp"

#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>

#include <string>
#include <vector>

namespace headway {

/// Answered by job_ack once it is committed; job_exists, store_unavailable, overloaded.
struct create_job {
  job_info info; ///< `created_at` is set by the job actor
};

/// Answered by job_ack: once it is committed, or at once with `held` for a tick that the throttle keeps.
/// not_found, job_ended, out_of_range, invalid_field, rate_limited, store_unavailable, overloaded.
struct update_job {
  std::string job_id;
  job_update update;
  bool wait_durable = false; ///< a held tick too is answered by the commit that carries it or a later one
};

/// What was done. With `held` nothing is promised yet, and seq and position are 0.
struct job_ack {
  std::string job_id;
  bool id_is_number = false;
  std::uint64_t seq = 0;
  std::uint64_t position = 0;
  bool held = false;
};

/// The part of a job actor that services speak to.
using job_actor =
  caf::typed_actor<caf::replies_to<create_job>::with<job_ack>, caf::replies_to<update_job>::with<job_ack>>;

// -- how the messages look on a network ---------------------------------------------------------------------------

namespace detail {

/// CAF 0.17 knows no std::optional: it travels as a list of none or one.
template <class T>
std::vector<T> to_list(const std::optional<T>& x) {
  return x ? std::vector<T>{*x} : std::vector<T>{};
}
template <class T>
std::optional<T> from_list(const std::vector<T>& list) {
  return list.empty() ? std::nullopt : std::optional<T>{list.front()};
}

} // namespace detail

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_error& x) {
  std::vector<std::uint8_t> retryable;
  if (x.retryable)
    retryable.push_back(*x.retryable ? 1 : 0);
  return f(caf::meta::type_name("job_error"), x.message, x.code, retryable,
           caf::meta::load_callback([&]() -> caf::error {
             x.retryable = retryable.empty() ? std::nullopt : std::optional<bool>{retryable.front() != 0};
             return caf::none;
           }));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, throttle_policy& x) {
  return f(caf::meta::type_name("throttle_policy"), x.min_interval_ms, x.min_delta);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_update& x) {
  auto progress = detail::to_list(x.progress);
  auto message = detail::to_list(x.message);
  auto stage = detail::to_list(x.stage);
  auto error = detail::to_list(x.error);
  return f(caf::meta::type_name("job_update"), x.verb, progress, message, stage, x.result, error, x.chunk, x.chunk_type,
           caf::meta::load_callback([&]() -> caf::error {
             x.progress = detail::from_list(progress);
             x.message = detail::from_list(message);
             x.stage = detail::from_list(stage);
             x.error = detail::from_list(error);
             return caf::none;
           }));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_info& x) {
  auto throttle = detail::to_list(x.throttle);
  return f(caf::meta::type_name("job_info"), x.id, x.id_is_number, x.user_id, x.project_id, x.batch_id, x.type, x.tags,
           x.metadata, throttle, x.created_at, caf::meta::load_callback([&]() -> caf::error {
             x.throttle = detail::from_list(throttle);
             return caf::none;
           }));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, create_job& x) {
  return f(caf::meta::type_name("create_job"), x.info);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, update_job& x) {
  return f(caf::meta::type_name("update_job"), x.job_id, x.update, x.wait_durable);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_ack& x) {
  return f(caf::meta::type_name("job_ack"), x.job_id, x.id_is_number, x.seq, x.position, x.held);
}

/// Registers the messages above, so that they can be serialized.
inline void add_ingest_messages(caf::actor_system_config& config) {
  config.add_message_type<create_job>("headway::create_job")
    .add_message_type<update_job>("headway::update_job")
    .add_message_type<job_ack>("headway::job_ack");
}

} // namespace headway
