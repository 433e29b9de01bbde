#include "http/agent_json.h"

#include <array>

#include "base/json.h"

namespace holdfast::http {

Json definition_json(const platform::Definition& definition, bool with_text) {
  Json out = {{"name", definition.name},
              {"version", definition.hash},
              {"current", definition.current},
              {"updated_at", iso_time(definition.at)}};
  Json parsed = parse_json<Json>(definition.text);
  if (parsed.is_object()) {
    for (const char* place : {"description"}) {
      if (parsed.contains(place)) out[place] = parsed[place];
      if (parsed.contains("metadata") && parsed["metadata"].contains(place))
        out[place] = parsed["metadata"][place];
    }
  }
  if (with_text) out["definition"] = parsed.is_object() ? parsed : Json(definition.text);
  return out;
}

Json label_json(const platform::Label& label) {
  static constexpr std::array<const char*, 3> kHow = {"set", "promoted", "rolled_back"};
  Json out = {{"agent", label.agent}, {"label", label.label}, {"version", label.hash}, {"move", label.move}};
  out["previous"] = label.previous.empty() ? Json(nullptr) : Json(label.previous);
  out["how"] = kHow[static_cast<std::size_t>(label.how)];
  if (!label.source.empty()) out["from"] = label.source;
  out["by"] = label.actor;
  if (!label.comment.empty()) out["comment"] = label.comment;
  out["at"] = iso_time(label.at);
  return out;
}

std::string etag_of(const platform::Label& label) {
  return '"' + std::to_string(label.move) + '"';
}

}  // namespace holdfast::http
