#include "actors/storage.hpp"

#include <chrono>
#include <unordered_map>

namespace headway {

namespace {

/// The results of one commit, sorted by who gets them.
class replies {
public:
  void add(const job_writer& to, const write_result& r) {
    auto [it, fresh] = index_.try_emplace(to.id(), out_.size());
    if (fresh)
      out_.push_back({to, {}});
    out_[it->second].second.results.push_back(r);
  }
  template <class Self>
  void send(Self* self) {
    for (auto& [to, message] : out_)
      self->send(to, std::move(message));
  }

private:
  std::vector<std::pair<job_writer, job_written>> out_;
  std::unordered_map<caf::actor_id, std::size_t> index_;
};

/// Commits the writes that stand at the front of `waiting`.
void commit_batch(storage_state& state, std::size_t count, replies& out, metrics& m) {
  std::vector<write_job*> sent;
  std::vector<job_write> batch;
  batch.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& write = state.waiting[i];
    if (write.chain->is_broken) {
      out.add(write.from, write_result{.error = errc::stale_seq});
      continue;
    }
    batch.push_back(std::move(*write.what));
    sent.push_back(&write);
  }
  if (batch.empty())
    return;

  auto started = std::chrono::steady_clock::now();
  result<std::vector<write_result>> results = errc::store_unavailable;
  walled(m, "storage", [&] { results = state.writer->commit(batch); });
  m.commit_seconds.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  if (!results) {
    m.commit_failures.Increment();
    for (auto* write : sent) {
      write->chain->is_broken = true;
      out.add(write->from, write_result{.error = results.error()});
    }
    return;
  }

  auto done = std::make_shared<commit>();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto& outcome = (*results)[i];
    out.add(sent[i]->from, outcome);
    if (outcome.error != errc{})
      sent[i]->chain->is_broken = true;
    else
      done->events.insert(done->events.end(), batch[i].events.begin(), batch[i].events.end());
  }
  m.commits.Increment();
  m.commit_batch_size.Observe(static_cast<double>(sent.size()));
  m.events_committed.Increment(static_cast<double>(done->events.size()));
  if (!done->events.empty())
    walled(m, "publish", [&] { state.publish(done); });
}

} // namespace

std::size_t text_bytes(const job_write& what) {
  std::size_t bytes = 0;
  for (const auto& event : what.events)
    bytes += event->chunk.size() + event->view.message.size() + event->view.result.size();
  return bytes;
}

storage_actor::behavior_type storage(storage_actor::stateful_pointer<storage_state> self, store* writer,
                                     const storage_gate_ptr& gate, publish_function publish, metrics* m,
                                     std::size_t batch_max) {
  survive_errors(self, *m);
  self->state.writer.reset(writer);
  self->state.publish = std::move(publish);

  auto commit_waiting = [self, gate, m, batch_max] {
    auto& state = self->state;
    auto count = std::min(state.waiting.size(), batch_max);
    if (count == 0)
      return;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i)
      bytes += text_bytes(*state.waiting[i].what);
    replies out;
    commit_batch(state, count, out, *m);
    gate->leave(count, bytes);
    state.waiting.erase(state.waiting.begin(), state.waiting.begin() + static_cast<std::ptrdiff_t>(count));
    out.send(self);
  };

  return {
    [self](write_job& msg) {
      self->state.waiting.push_back(std::move(msg));
      if (!self->state.commit_is_due) {
        self->state.commit_is_due = true;
        self->send(self, commit_now{}); // behind all that waits already
      }
    },
    [self, commit_waiting](const commit_now&) {
      commit_waiting();
      self->state.commit_is_due = !self->state.waiting.empty();
      if (self->state.commit_is_due)
        self->send(self, commit_now{});
    },
    [self, commit_waiting](const stop&) -> stopped {
      while (!self->state.waiting.empty())
        commit_waiting();
      self->quit();
      return {};
    },
  };
}

namespace {

template <class Answer, class T>
caf::result<Answer> answer(result<T>&& r) {
  if (!r)
    return make_error(r.error());
  return Answer{std::move(*r)};
}

} // namespace

reader_actor::behavior_type reader(reader_actor::stateful_pointer<reader_state> self, store* source, metrics* m) {
  survive_errors(self, *m);
  self->state.source.reset(source);
  return {
    [self](const load_job& msg) { return answer<job_loaded>(self->state.source->load_job(msg.id)); },
    [self](const list_jobs& msg) { return answer<jobs_listed>(self->state.source->list_jobs(msg.filter)); },
    [self](const load_events& msg) {
      return answer<events_loaded>(self->state.source->job_events(msg.id, msg.after_seq, msg.limit));
    },
    [self](const load_key& msg) { return answer<key_loaded>(self->state.source->find_api_key(msg.hash)); },
    [self](const probe_store&) { return store_probed{self->state.source->is_writable()}; },
    [self](const stop&) -> stopped {
      self->quit();
      return {};
    },
  };
}

} // namespace headway
