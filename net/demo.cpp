#include "net/demo.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <array>

namespace headway {

namespace {

constexpr auto step_time = std::chrono::milliseconds{400};
constexpr auto pause_time = std::chrono::seconds{4};
constexpr std::array stages{"Collecting", "Reading", "Thinking", "Writing", "Polishing"};

struct next_step {
  using message_tag = void;
};

struct demo_state {
  static inline const char* name = "demo";
  std::string job_id;
  int progress = 0;
};

class worker {
public:
  worker(caf::stateful_actor<demo_state>* self, directory_shards_ptr directory, std::shared_ptr<demo_job_id> current,
         std::function<epoch_ms()> wall_clock)
    : self_{self},
      s_{self->state},
      directory_{std::move(directory)},
      current_{std::move(current)},
      clock_{std::move(wall_clock)} {}

  void step() {
    if (s_.job_id.empty())
      begin();
    else if (s_.progress < 100)
      advance();
    else
      finish();
  }

private:
  void begin() {
    constexpr epoch_ms ms_per_s = 1000;
    s_.progress = 0;
    s_.job_id = "demo-" + std::to_string(clock_() / ms_per_s);
    job_info info;
    info.id = s_.job_id;
    info.user_id = demo_user;
    info.type = "demo";
    send(create_job{std::move(info)}, step_time);
    current_->set(s_.job_id);
  }

  void advance() {
    s_.progress = std::min(s_.progress + 2, 100);
    job_update update;
    update.verb = job_verb::progress;
    update.progress = s_.progress;
    const auto* stage = stages[static_cast<std::size_t>(s_.progress * (static_cast<int>(stages.size()) - 1) / 100)];
    update.stage = stage;
    update.message = std::string{stage} + ", step " + std::to_string(s_.progress / 2) + " of 50";
    send(update_job{s_.job_id, std::move(update), false}, step_time);
  }

  void finish() {
    job_update update;
    update.verb = job_verb::complete;
    update.result = R"({"answer":42})";
    send(update_job{s_.job_id, std::move(update), false}, pause_time);
    s_.job_id.clear();
  }

  template <class Message>
  void send(Message message, std::chrono::milliseconds pause) {
    auto again = [this, pause] { self_->delayed_send(self_, pause, next_step{}); };
    self_->request(directory_->of(s_.job_id), caf::infinite, std::move(message))
      .then([again](const job_ack&) { again(); },
            [this, again](const caf::error& e) {
              log::warn("demo.refused", {{"code", name(to_errc(e))}});
              s_.job_id.clear();
              again();
            });
  }

  caf::stateful_actor<demo_state>* self_;
  demo_state& s_;
  directory_shards_ptr directory_;
  std::shared_ptr<demo_job_id> current_;
  std::function<epoch_ms()> clock_;
};

caf::behavior demo(caf::stateful_actor<demo_state>* self, const directory_shards_ptr& directory,
                   const std::shared_ptr<demo_job_id>& current, const std::function<epoch_ms()>& wall_clock) {
  auto w = std::make_shared<worker>(self, directory, current, wall_clock);
  self->send(self, next_step{});
  return {[w](const next_step&) { w->step(); }};
}

} // namespace

caf::actor spawn_demo(caf::actor_system& system, directory_shards_ptr directory, std::shared_ptr<demo_job_id> current,
                      std::function<epoch_ms()> wall_clock) {
  return system.spawn(demo, std::move(directory), std::move(current), std::move(wall_clock));
}

} // namespace headway
