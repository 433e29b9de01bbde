#include "otlp/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "base/ascii.h"
#include "base/url.h"
#include "net/origin.h"

namespace holdfast::otlp {

namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "name=value,name=value", values percent-encoded: as OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES
// have it.
Result<std::vector<std::pair<std::string, std::string>>> read_list(const char* variable,
                                                                   std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find(','));
    text.remove_prefix(std::min(entry.size() + 1, text.size()));
    if (trimmed(entry).empty()) continue;
    const std::size_t equals = entry.find('=');
    const auto value = equals == std::string_view::npos
                           ? std::nullopt
                           : percent_decode(trimmed(entry.substr(equals + 1)), false);
    const std::string_view name = trimmed(entry.substr(0, std::min(equals, entry.size())));
    if (!value || name.empty())
      return fail(Code::kInvalidArgument,
                  fmt::format("{} is not NAME=VALUE,NAME=VALUE with percent-encoded values", variable));
    out.emplace_back(name, *value);
  }
  return out;
}

Status read_ms(const Variables& variables, const char* name, std::chrono::milliseconds& out) {
  const char* text = variables(name);
  if (text == nullptr || *text == '\0') return {};
  std::int64_t ms = 0;
  const std::string_view whole(text);
  const auto [end, bad] = std::from_chars(whole.data(), whole.data() + whole.size(), ms);
  if (bad != std::errc() || end != whole.data() + whole.size() || ms <= 0 || ms > 3'600'000)
    return {Code::kInvalidArgument, fmt::format("{} must be milliseconds, from 1 to 3600000", name)};
  out = std::chrono::milliseconds(ms);
  return {};
}

bool is_true(const char* text) {
  return text != nullptr && ascii_lower(text) == "true";
}

}  // namespace

Result<Settings> read_settings(const Variables& variables) {
  const auto set = [&](const char* name) -> std::string {
    const char* value = variables(name);
    return value == nullptr ? std::string() : std::string(trimmed(value));
  };
  Settings out;
  if (is_true(variables("OTEL_SDK_DISABLED"))) return out;
  const std::string traces = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  std::string base = set("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (!traces.empty()) {
    out.url = traces;
  } else if (!base.empty()) {
    while (base.ends_with('/')) base.pop_back();
    out.url = base + "/v1/traces";
  }
  if (out.url.empty()) return out;
  if (auto url = net::read_url(out.url); !url)
    return fail(
        Code::kInvalidArgument,
        fmt::format("the endpoint of OTLP is no http:// or https:// address: {}", url.error().message()));
  for (const char* name : {"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"}) {
    const std::string protocol = set(name);
    if (protocol.empty() || protocol == "http/json") continue;
    const std::string told = fmt::format(
        "{}={}: spans are exported as http/json, which collectors read on their port for HTTP "
        "(4318)",
        name, protocol);
    if (protocol != "http/protobuf") return fail(Code::kInvalidArgument, told);
    out.remark = told;  // the same port takes both
  }
  for (const char* name : {"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}) {
    auto headers = read_list(name, set(name));
    if (!headers) return fail(headers.error());
    out.headers.insert(out.headers.end(), headers->begin(), headers->end());
  }
  auto resource = read_list("OTEL_RESOURCE_ATTRIBUTES", set("OTEL_RESOURCE_ATTRIBUTES"));
  if (!resource) return fail(resource.error());
  for (auto& [name, value] : *resource) {
    if (name == "service.name") {
      out.service_name = value;
    } else {
      out.resource.emplace_back(name, value);
    }
  }
  if (const std::string name = set("OTEL_SERVICE_NAME"); !name.empty()) out.service_name = name;
  out.content = is_true(variables("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"));
  for (const char* name : {"OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"}) {
    if (Status bad = read_ms(variables, name, out.timeout); !bad.ok()) return fail(std::move(bad));
  }
  if (Status bad = read_ms(variables, "OTEL_BSP_SCHEDULE_DELAY", out.delay); !bad.ok())
    return fail(std::move(bad));
  return out;
}

}  // namespace holdfast::otlp
