#include "net/accept.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/ascii.h"
#include "net/content_type.h"

namespace holdfast::net {

namespace {

constexpr std::string_view kStream = "text/event-stream";

// 0 to 3: not at all, "*/*", "text/*", the type itself.
int fit(std::string_view range, std::string_view type) {
  if (range == type) return 3;
  if (range == "*/*") return 1;
  const std::string_view family = type.substr(0, type.find('/') + 1);
  return range.size() == family.size() + 1 && range.ends_with("/*") && range.starts_with(family) ? 2 : 0;
}

double weight_of(std::string_view range) {
  const std::string text = parameter_of(range, "q");
  if (text.empty()) return 1;
  double weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  const bool sound = error == std::errc() && end == text.data() + text.size() && weight >= 0 && weight <= 1;
  return sound ? weight : 0;
}

}  // namespace

Wanted wanted(std::string_view accept, std::string_view type) {
  if (accept.find_first_not_of(" \t,") == std::string_view::npos) return {.weight = 1, .named = false};
  Wanted out;
  int best = 0;
  while (!accept.empty()) {
    const std::string_view range = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(range.size() + 1, accept.size()));
    const int fits = fit(media_type(range), type);
    if (fits <= best) continue;
    best = fits;
    out = {.weight = weight_of(range), .named = fits == 3};
  }
  return out;
}

bool names_event_stream(std::string_view accept) {
  const Wanted stream = wanted(accept, kStream);
  return stream.named && stream.weight > 0;
}

bool wants_event_stream(std::string_view accept) {
  return names_event_stream(accept) &&
         wanted(accept, kStream).weight >= wanted(accept, "application/json").weight;
}

}  // namespace holdfast::net
