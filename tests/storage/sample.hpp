// Jobs and writes for tests of the store.
#pragma once

#include "storage/store.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace headway::test {

inline std::shared_ptr<job_info> sample_info(std::string id, std::string user = "u1", epoch_ms created_at = 1000) {
  auto about = std::make_shared<job_info>();
  about->id = std::move(id);
  about->user_id = std::move(user);
  about->created_at = created_at;
  return about;
}

/// The write that a transition comes to.
inline job_write to_write(std::uint64_t expected_seq, job_transition transition) {
  job_write write{expected_seq, std::move(transition.after), {}};
  for (auto& event : transition.events)
    write.events.push_back(std::make_shared<job_event>(std::move(event)));
  return write;
}

/// A job as its actor sees it: each call gives the next write and moves on.
class sample_job {
public:
  explicit sample_job(std::shared_ptr<const job_info> about) : about_{std::move(about)} {}
  explicit sample_job(std::string id) : sample_job{sample_info(std::move(id))} {}

  job_write create() { return step(0, headway::create(about_, about_->created_at)); }
  job_write update(const job_update& what) { return step(state_.seq, apply(state_, what, ++now_).value()); }
  job_write progress(double value) { return update({.verb = job_verb::progress, .progress = value}); }
  job_write heartbeat() { return update({.verb = job_verb::heartbeat}); }

  const job_state& state() const { return state_; }

private:
  job_write step(std::uint64_t expected_seq, job_transition transition) {
    state_ = transition.after;
    return to_write(expected_seq, std::move(transition));
  }

  std::shared_ptr<const job_info> about_;
  job_state state_;
  epoch_ms now_ = 2000;
};

/// With braces: they are evaluated from left to right, arguments in parentheses in any order.
using writes = std::vector<job_write>;

} // namespace headway::test
