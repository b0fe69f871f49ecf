#include "tests/echo/engineio_echo.hpp"

namespace headway::echo {

namespace {

class mirror : public engineio_application {
public:
  explicit mirror(engineio_connection& connection) : connection_{connection} {}

  void on_message(const engineio::message& message) override {
    connection_.peer()->send(message.is_binary ? binary_frame(message.data) : text_frame('4' + message.data));
  }

private:
  engineio_connection& connection_;
};

} // namespace

application_factory engineio_echo() {
  return [](engineio_connection& connection) { return std::make_unique<mirror>(connection); };
}

} // namespace headway::echo
