// What all actors share: which structs may be sent, errors as CAF errors, and the wall around an actor.
//
// A struct with `using message_tag = void;` may be sent inside this process. What may also cross a network has an
// `inspect` instead (see ingest.hpp).
#pragma once

#include "core/errc.hpp"
#include "core/log.hpp"
#include "core/metrics.hpp"

#include <caf/all.hpp>

#include <exception>

template <class T>
  requires requires { typename T::message_tag; }
struct caf::allowed_unsafe_message_type<T> : std::true_type {};

namespace headway {

inline const caf::atom_value error_category = caf::atom("headway");

/// Makes `return errc::not_found;` work in a handler that answers `caf::result<T>`.
inline caf::error make_error(errc code) { return {static_cast<std::uint8_t>(code), error_category}; }

/// Back from CAF: our own code; an actor that is gone was stopped; CAF's other errors are `internal`.
inline errc to_errc(const caf::error& error) {
  if (error && error.category() == error_category)
    return static_cast<errc>(error.code());
  return error == caf::sec::request_receiver_down ? errc::shutting_down : errc::internal;
}

/// Every actor calls this first. A peer's error reply does not end it; an exception does, but not silently.
template <class Self>
void survive_errors(Self* self, metrics& m) {
  self->set_error_handler([](const caf::error&) {});
  self->set_exception_handler([&m](std::exception_ptr& thrown) -> caf::error {
    m.actors_lost.Increment();
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      log::error("actor.lost", {{"what", e.what()}});
    } catch (...) {
      log::error("actor.lost", {{"what", "unknown"}});
    }
    return caf::exit_reason::unhandled_exception;
  });
}

/// The wall around one handler: what it throws is counted and logged, and costs no more than this message.
/// @returns false where it threw.
template <class F>
bool walled(metrics& m, std::string_view where, F&& handler) noexcept {
  try {
    std::forward<F>(handler)();
    return true;
  } catch (const std::exception& e) {
    m.handler_exceptions.Increment();
    log::error("handler.exception", {{"where", where}, {"what", e.what()}});
  } catch (...) {
    m.handler_exceptions.Increment();
    log::error("handler.exception", {{"where", where}, {"what", "unknown"}});
  }
  return false;
}

/// "Finish what you have, then quit." Unlike an exit message it waits its turn in the mailbox.
struct stop {
  using message_tag = void;
};
struct stopped {
  using message_tag = void;
};

/// Directory -> job or room: you are forgotten; quit when you have finished.
struct retired {
  using message_tag = void;
};

} // namespace headway
