#pragma once

// Settings of the export, as OpenTelemetry's own variables say them (docs/guide/traces.md). Values; reading
// the environment is the caller's.

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/status.h"
#include "net/http_client.h"

namespace holdfast::otlp {

struct Settings {
  std::string url;       // of the collector's traces; empty: nothing is exported
  net::Headers headers;  // values may be secrets: they are in no message
  std::string service_name = "holdfast";
  std::vector<std::pair<std::string, std::string>> resource;  // besides the service's name
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds delay{1'000};  // between the end of a span and its export
  bool content = false;                    // what was said goes along
  std::string remark;                      // what is done otherwise than asked; empty: nothing
};

// A variable's value; null: it is not set.
using Variables = std::function<const char*(const char* name)>;
// INVALID_ARGUMENT says what is wrong, without any value that may be a secret.
Result<Settings> read_settings(const Variables& variables);

}  // namespace holdfast::otlp
