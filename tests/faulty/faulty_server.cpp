// The server with one planted fault, to show that the trace checker notices:
// HEADWAY_FAULT=broadcast_before_commit | lose_event | swap_order
#include "net/command_line.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

namespace {

using namespace headway;

/// Tells the lanes first and commits later.
class hasty_store : public store {
public:
  hasty_store(std::unique_ptr<store> inner, std::shared_ptr<publish_function> publish)
    : inner_{std::move(inner)}, publish_{std::move(publish)} {}

  result<std::vector<write_result>> commit(std::span<job_write> batch) override {
    auto position = inner_->head().value();
    auto guess = std::make_shared<headway::commit>();
    for (const auto& write : batch) {
      for (const auto& event : write.events) {
        auto copy = std::make_shared<job_event>(*event);
        copy->position = ++position;
        guess->events.push_back(std::move(copy));
      }
    }
    if (!guess->events.empty())
      (*publish_)(guess);
    std::this_thread::sleep_for(
      std::chrono::milliseconds{20}); // the fault itself: time in which watchers know more than the store
    return inner_->commit(batch);
  }
  result<job_state> load_job(std::string_view id) override { return inner_->load_job(id); }
  result<job_page> list_jobs(const job_filter& filter) override { return inner_->list_jobs(filter); }
  result<std::vector<job_event>> job_events(std::string_view id, std::uint64_t after, std::size_t limit) override {
    return inner_->job_events(id, after, limit);
  }
  result<std::uint64_t> head() override { return inner_->head(); }
  result<api_key> find_api_key(std::string_view hash) override { return inner_->find_api_key(hash); }
  result<void> put_api_key(std::string_view hash, const api_key& key) override {
    return inner_->put_api_key(hash, key);
  }
  bool is_writable() override { return inner_->is_writable(); }

private:
  std::unique_ptr<store> inner_;
  std::shared_ptr<publish_function> publish_;
};

server_hooks broadcast_before_commit() {
  auto lanes = std::make_shared<publish_function>();
  server_hooks hooks;
  hooks.wrap_publish = [lanes](publish_function publish) {
    *lanes = std::move(publish);
    return [](const commit_ptr&) {}; // they know already
  };
  hooks.wrap_writer = [lanes](std::unique_ptr<store> inner) {
    return std::make_unique<hasty_store>(std::move(inner), lanes);
  };
  return hooks;
}

server_hooks lose_event() {
  constexpr std::uint64_t every = 100;
  server_hooks hooks;
  hooks.wrap_publish = [](publish_function publish) {
    return [publish, count = std::uint64_t{0}](const commit_ptr& what) mutable {
      auto rest = std::make_shared<commit>();
      for (const auto& event : what->events)
        if (++count % every != 0)
          rest->events.push_back(event);
      publish(rest);
    };
  };
  return hooks;
}

server_hooks swap_order() {
  constexpr std::uint64_t every = 10;
  server_hooks hooks;
  hooks.wrap_publish = [](publish_function publish) {
    return [publish, count = std::uint64_t{0}, held = commit_ptr{}](const commit_ptr& what) mutable {
      if (++count % every == 0) {
        held = what;
        return;
      }
      publish(what);
      if (held)
        publish(std::exchange(held, nullptr));
    };
  };
  return hooks;
}

} // namespace

int main(int argc, char** argv) {
  const char* name = std::getenv("HEADWAY_FAULT"); // NOLINT: before any thread
  std::string fault = name ? name : "";
  server_hooks hooks;
  if (fault == "broadcast_before_commit")
    hooks = broadcast_before_commit();
  else if (fault == "lose_event")
    hooks = lose_event();
  else if (fault == "swap_order")
    hooks = swap_order();
  else if (!fault.empty()) {
    std::cerr << "HEADWAY_FAULT names no fault: " << fault << '\n';
    return 2;
  }
  return run_command_line(argc, argv, hooks);
}
