// IO WORKER  one thread with an Asio context, which also runs the actors pinned to it.
//
//   sockets --+
//             +--> io_context --> one thread
//   actors ---+
//
// So a connection actor and its lane touch sockets and each other's queues without locks.
#pragma once

#include "actors/message.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <utility>

namespace headway {

/// The execution unit of pinned actors. Must outlive them.
class io_worker : public caf::execution_unit {
public:
  io_worker(caf::actor_system& system, boost::asio::io_context& context, std::size_t index);

  /// From any thread. Actors that are not pinned go to CAF's scheduler.
  void exec_later(caf::resumable* job) override;

  boost::asio::io_context& context() { return context_; }
  std::size_t index() const { return index_; }

private:
  void run(caf::resumable* job);

  boost::asio::io_context& context_;
  std::size_t index_;
};

/// A stateful typed actor that runs on one I/O worker, the way CAF pins its brokers to their multiplexer.
/// Without a worker (in tests) it runs wherever the scheduler puts it.
template <class State, class... Sigs>
class pinned_actor : public caf::stateful_actor<State, caf::typed_event_based_actor<Sigs...>> {
public:
  using super = caf::stateful_actor<State, caf::typed_event_based_actor<Sigs...>>;
  using behavior_type = typename super::behavior_type;
  using body = std::function<behavior_type(super*)>;

  pinned_actor(caf::actor_config& config, io_worker* worker, body make)
    : super(config), worker_{worker}, make_{std::move(make)} {}

  using super::enqueue;
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* unit) override {
    super::enqueue(std::move(message), worker_ ? worker_ : unit);
  }
  void launch(caf::execution_unit* unit, bool lazy, bool hidden) override {
    super::launch(worker_ ? worker_ : unit, lazy, hidden);
  }
  caf::resumable::subtype_t subtype() const override { return worker_ ? caf::resumable::io_actor : super::subtype(); }

protected:
  behavior_type make_behavior() override {
    auto make = std::exchange(make_, nullptr); // it holds the arguments, which may hold us
    return make(this);
  }

private:
  io_worker* worker_;
  body make_;
};

namespace detail {

template <class Self>
struct pinned_of;
template <class State, class... Sigs>
struct pinned_of<caf::stateful_actor<State, caf::typed_event_based_actor<Sigs...>>*> {
  using type = pinned_actor<State, Sigs...>;
};

} // namespace detail

/// Spawns `make(self, args...)` on `worker` (null: on the scheduler).
template <class Behavior, class Self, class... Params, class... Args>
auto spawn_pinned(caf::actor_system& system, io_worker* worker, Behavior (*make)(Self, Params...), Args&&... args) {
  using impl = typename detail::pinned_of<Self>::type;
  auto body = [make, ... held = std::decay_t<Params>(std::forward<Args>(args))](Self self) mutable {
    return make(self, std::move(held)...);
  };
  return system.spawn<impl>(worker, typename impl::body{std::move(body)});
}

} // namespace headway
