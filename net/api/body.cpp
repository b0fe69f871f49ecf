#include "net/api/body.hpp"

#include <cmath>

namespace headway {

namespace {

constexpr std::size_t stage_bytes_max = 256;
constexpr std::size_t metadata_bytes_max = 16'384;
constexpr std::size_t tags_max = 32;
constexpr std::size_t tag_bytes_max = 128;

/// Reads fields of one object and remembers the first that is wrong.
class fields {
public:
  explicit fields(const json& body) : body_{body} {
    if (!body.is_object())
      fail(errc::invalid_field, "The body must be a JSON object.");
  }

  const std::optional<body_error>& error() const { return error_; }

  void fail(errc code, std::string detail) {
    if (!error_)
      error_ = body_error{code, std::move(detail)};
  }

  /// Null counts as absent.
  const json* get(std::string_view name) const {
    const auto* value = find(body_, name);
    return value && !value->is_null() ? value : nullptr;
  }

  std::optional<std::string> text(std::string_view name, std::size_t bytes_max) {
    const auto* value = get(name);
    if (!value)
      return std::nullopt;
    if (!value->is_string()) {
      fail(errc::invalid_field, quoted(name) + " must be a text.");
      return std::nullopt;
    }
    auto text = value->get<std::string>();
    if (text.size() > bytes_max)
      fail(errc::invalid_field, quoted(name) + " has more than " + std::to_string(bytes_max) + " bytes.");
    return text;
  }

  std::optional<double> number(std::string_view name, double least, double most) {
    const auto* value = get(name);
    if (!value)
      return std::nullopt;
    if (!value->is_number()) {
      fail(errc::invalid_field, quoted(name) + " must be a number.");
      return std::nullopt;
    }
    auto n = value->get<double>();
    if (!(n >= least && n <= most))
      fail(errc::out_of_range, quoted(name) + " must be from " + shown(least) + " to " + shown(most) + ".");
    return n;
  }

  std::string id(std::string_view name, errc code) {
    const auto* value = get(name);
    if (!value)
      return {};
    auto read = read_id(*value);
    if (!read)
      fail(code, quoted(name) + " must be 1 to 128 of A-Z a-z 0-9 . _ : - or a whole number.");
    return read.value_or("");
  }

  /// An object or array as text.
  std::string raw(std::string_view name, std::size_t bytes_max) {
    const auto* value = get(name);
    if (!value)
      return {};
    auto text = dump_json(*value);
    if (text.size() > bytes_max)
      fail(errc::invalid_field, quoted(name) + " has more than " + std::to_string(bytes_max) + " bytes.");
    return text;
  }

  static std::string quoted(std::string_view name) { return "\"" + std::string{name} + "\""; }

private:
  static std::string shown(double n) { return dump_json(number_json(n)); }

  const json& body_;
  std::optional<body_error> error_;
};

void read_tags(fields& f, job_info& info) {
  const auto* tags = f.get("tags");
  if (!tags)
    return;
  auto is_tag = [](const json& tag) {
    return tag.is_string() && tag.get_ref<const std::string&>().size() <= tag_bytes_max;
  };
  if (!tags->is_array() || tags->size() > tags_max || !std::ranges::all_of(*tags, is_tag))
    f.fail(errc::invalid_field, "\"tags\" must be a list of at most 32 texts of at most 128 bytes.");
  else
    info.tags = dump_json(*tags);
}

void read_throttle(fields& f, job_info& info) {
  const auto* given = f.get("throttle");
  if (!given)
    return;
  constexpr double hour_ms = 3'600'000;
  fields inner{*given};
  throttle_policy policy;
  if (auto ms = inner.number("min_interval_ms", 0, hour_ms))
    policy.min_interval_ms = static_cast<std::uint32_t>(std::max(0.0, std::min(*ms, hour_ms)));
  if (auto delta = inner.number("min_delta", 0, 100))
    policy.min_delta = *delta;
  if (inner.error())
    f.fail(inner.error()->code, "\"throttle\" is wrong: " + inner.error()->detail);
  info.throttle = policy;
}

/// "text", or {message, code?, retryable?}.
std::optional<job_error> read_error(fields& f, const body_limits& limits) {
  const auto* given = f.get("error");
  if (!given)
    return std::nullopt;
  job_error error;
  if (given->is_string())
    error.message = f.text("error", limits.message_bytes).value_or("");
  else if (given->is_object()) {
    fields inner{*given};
    error.message = inner.text("message", limits.message_bytes).value_or("");
    error.code = inner.text("code", stage_bytes_max).value_or("");
    if (const auto* retryable = inner.get("retryable")) {
      if (retryable->is_boolean())
        error.retryable = retryable->get<bool>();
      else
        inner.fail(errc::invalid_field, "\"retryable\" must be true or false.");
    }
    if (inner.error())
      f.fail(inner.error()->code, "\"error\": " + inner.error()->detail);
  } else
    f.fail(errc::invalid_field, "\"error\" must be a text or an object.");
  return error;
}

void require(fields& f, std::string_view name) {
  if (!f.get(name))
    f.fail(errc::invalid_field, fields::quoted(name) + " is required.");
}

} // namespace

std::optional<std::string> read_id(const json& value) {
  constexpr std::uint64_t exact = 9'007'199'254'740'991; // 2^53 - 1: beyond it JavaScript cannot say it
  if (value.is_number_unsigned() && value.get<std::uint64_t>() <= exact)
    return std::to_string(value.get<std::uint64_t>());
  if (value.is_string() && is_job_id(value.get_ref<const std::string&>()))
    return value.get<std::string>();
  return std::nullopt;
}

body_result<job_info> read_job_info(const json& body, epoch_ms now) {
  fields f{body};
  job_info info;
  if (const auto* id = f.get("id")) {
    info.id = f.id("id", errc::invalid_job_id);
    info.id_is_number = id->is_number();
  } else
    info.id = to_string(make_event_id(now));
  require(f, "user_id");
  info.user_id = f.id("user_id", errc::invalid_field);
  info.project_id = f.id("project_id", errc::invalid_field);
  info.batch_id = f.id("batch_id", errc::invalid_field);
  info.type = f.text("type", tag_bytes_max).value_or("");
  info.metadata = f.raw("metadata", metadata_bytes_max);
  if (const auto* metadata = f.get("metadata"); metadata && !metadata->is_object())
    f.fail(errc::invalid_field, "\"metadata\" must be an object.");
  read_tags(f, info);
  read_throttle(f, info);
  if (f.error())
    return *f.error();
  return info;
}

body_result<job_update> read_job_update(job_verb verb, const json& body, const body_limits& limits) {
  fields f{body};
  job_update update;
  update.verb = verb;
  update.message = f.text("message", limits.message_bytes);
  update.stage = f.text("stage", stage_bytes_max);
  switch (verb) {
    case job_verb::increment:
      require(f, "amount");
      update.progress = f.number("amount", 0, 100);
      break;
    case job_verb::progress:
      require(f, "progress");
      update.progress = f.number("progress", 0, 100);
      break;
    case job_verb::stage:
      require(f, "stage");
      update.progress = f.number("progress", 0, 100);
      break;
    case job_verb::output:
      require(f, "chunk");
      update.chunk = f.text("chunk", limits.result_bytes).value_or("");
      update.chunk_type = f.text("type", tag_bytes_max).value_or("");
      if (f.get("chunk") && update.chunk.empty())
        f.fail(errc::invalid_field, "\"chunk\" must not be empty.");
      break;
    case job_verb::complete: update.result = f.raw("result", limits.result_bytes); break;
    case job_verb::fail:
    case job_verb::block: update.error = read_error(f, limits); break;
    case job_verb::start:
    case job_verb::cancel:
    case job_verb::heartbeat: break;
  }
  if (f.error())
    return *f.error();
  return update;
}

} // namespace headway
