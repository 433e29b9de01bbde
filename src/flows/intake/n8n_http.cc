// `httpRequest` of n8n as a block of type http. What is computed in the URL becomes a placeholder of path or
// query; a computed host has no counterpart, because a flow names the hosts that it talks to.

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/url.h"
#include "intake/n8n_nodes.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;

// [{"name", "value"}] of either generation: itself, or within `parameters`.
Json pairs_of(N8nStep& step, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    Json found = step.parameters.take(key);
    for (const char* inner : {"parameters", "parameter"}) {
      if (found.is_object() && found.contains(inner)) found = Json(found[inner]);
    }
    if (!found.is_array() || found.empty()) continue;
    Json out = Json::array();
    for (const Json& one : found) {
      if (one.is_object()) out.push_back(one);
    }
    return out;
  }
  return Json::array();
}

class Request {
 public:
  explicit Request(N8nStep& step) : step_(step) {}
  void map();

 private:
  std::string placeholder(const N8nValue& value);
  std::optional<std::string> url(const Json& from);
  void query(std::string& url);
  void headers();
  void body();
  void json_body(const Json& from);
  void whole_body(const N8nValue& value);
  void notes();

  N8nStep& step_;
  Json http_ = Json::object();
  Json arguments_ = Json::object();
};

std::string Request::placeholder(const N8nValue& value) {
  const std::string name = fmt::format("part_{}", arguments_.size() + 1);
  arguments_[name] = value.text;
  return "{" + name + "}";
}

// None: its host is computed.
std::optional<std::string> Request::url(const Json& from) {
  const std::string text = from.is_string() ? from.get<std::string>() : "";
  if (!text.starts_with('=')) return text;
  std::string out;
  std::string_view rest = std::string_view(text).substr(1);
  while (!rest.empty()) {
    const std::size_t open = rest.find("{{");
    out += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = rest.find("}}", open);
    if (close == std::string_view::npos) return std::nullopt;
    const std::size_t scheme = out.find("://");
    if (scheme == std::string::npos || out.find_first_of("/?", scheme + 3) == std::string::npos)
      return std::nullopt;
    out += placeholder(step_.value("=" + std::string(rest.substr(open, close + 2 - open))));
    rest.remove_prefix(close + 2);
  }
  return out;
}

void Request::query(std::string& url) {
  for (const Json& one : pairs_of(step_, {"queryParameters", "queryParametersUi"})) {
    const N8nValue value = step_.value(value_in(one, "value"));
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += percent_encode(text_in(one, "name")) + "=";
    url += value.computed ? placeholder(value)
                          : percent_encode(value.text.is_string() ? value.text.get<std::string>()
                                                                  : dump_json(value.text));
  }
}

void Request::headers() {
  Json headers = Json::object();
  for (const Json& one : pairs_of(step_, {"headerParameters", "headerParametersUi"})) {
    const N8nValue value = step_.value(value_in(one, "value"));
    const std::string name = text_in(one, "name");
    if (value.computed || !value.text.is_string())
      step_.left_out.push_back(fmt::format("the header `{}`, whose value is computed: {}", name,
                                           dump_json(value_in(one, "value"))));
    else
      headers[name] = value.text;
  }
  if (!headers.empty()) http_["headers"] = std::move(headers);
}

// The text of a JSON body, with expressions in it and around them, as JSON with templates. Null: it is none.
Json json_with_templates(const std::string& text) {
  std::string out;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '{' && text.compare(at, 2, "{{") == 0) {
      const std::size_t close = text.find("}}", at);
      if (close == std::string::npos) return nullptr;
      const std::string inside = dump_json(Json("=" + text.substr(at, close + 2 - at)));
      // Within a text it is a part of that, else the whole value.
      out += quoted ? inside.substr(2, inside.size() - 3) : inside;
      at = close + 1;
      continue;
    }
    if (quoted && c == '\\') out += text[at++];
    if (c == '"') quoted = !quoted;
    if (at < text.size()) out += text[at];
  }
  Json read = parse_json<Json>(out, kMaxForeignJsonDepth);
  return read.is_discarded() ? Json() : read;
}

// Texts that hold an expression are marked as n8n marks them.
void mark(Json& tree) {
  if (tree.is_string()) {
    const std::string text = tree.get<std::string>();
    if (!text.starts_with('=') && text.find("{{") != std::string::npos) tree = "=" + text;
  }
  if (!tree.is_structured()) return;
  for (Json& one : tree) mark(one);
}

void Request::whole_body(const N8nValue& value) {
  http_["body"] = "{payload}";
  arguments_["payload"] = value.text;
}

void Request::json_body(const Json& from) {
  if (!from.is_string()) return whole_body(step_.value(from));
  std::string text = from.get<std::string>();
  const bool computed = text.starts_with('=');
  if (computed) text.erase(0, 1);
  Json tree = json_with_templates(text);
  if (tree.is_null()) {
    step_.check.push_back("its body is a text; check that it is the JSON that is meant");
    return whole_body(step_.value(from));
  }
  if (computed) mark(tree);
  whole_body(step_.value(tree));
}

void Request::body() {
  const Json form = pairs_of(step_, {"bodyParameters", "bodyParametersUi"});
  Json json = step_.parameters.take("jsonBody");
  if (json.is_null()) json = step_.parameters.take("bodyParametersJson");
  const Json raw = step_.parameters.take("body");
  const std::string type = step_.parameters.text("contentType", "json");
  if (type != "json" && (!form.empty() || !raw.is_null()))
    step_.left_out.push_back(fmt::format("a body as `{}`: the http block sends JSON", type));
  if (!json.is_null()) return json_body(json);
  if (form.empty()) {
    if (!raw.is_null()) whole_body(step_.value(raw));
    return;
  }
  Json value = Json::object();
  for (const Json& one : form) value[text_in(one, "name")] = step_.value(value_in(one, "value")).text;
  http_["body"] = "{payload}";
  arguments_["payload"] = std::move(value);
}

void Request::notes() {
  for (const char* key : {"sendQuery", "sendHeaders", "sendBody", "specifyBody", "specifyQuery",
                          "specifyHeaders", "jsonParameters", "responseFormat"})
    step_.parameters.take(key);
  const std::string type = step_.parameters.text("authentication", "none");
  std::string credential = step_.parameters.text("nodeCredentialType");
  if (credential.empty()) credential = step_.parameters.text("genericAuthType", type);
  if (type != "none")
    step_.left_out.push_back(
        fmt::format("its credential ({}): add `headers: {{Authorization: \"Bearer ${{NAME}}\"}}`, "
                    "or `auth`",
                    credential));
}

void Request::map() {
  std::string method = step_.parameters.text("method");
  const std::string older = step_.parameters.text("requestMethod", "GET");
  if (method.empty()) method = older;
  const Json from = step_.parameters.take("url");
  auto url = this->url(from);
  notes();
  static const std::vector<std::string> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
  const bool is_known = std::ranges::find(kMethods, method) != kMethods.end();
  const auto usable = [&] {
    if (!url || !url->starts_with("http")) return false;
    return url->find(' ') == std::string::npos &&
           (!arguments_.empty() || url->find_first_of("{}") == std::string::npos);
  };
  if (!is_known) return step_.give_up(fmt::format("the method {}", method));
  if (!usable())
    return step_.give_up(fmt::format("its URL {}: a flow names scheme and host", dump_json(from)));
  query(*url);
  http_ = {{"method", method}, {"url", *url}};
  headers();
  const bool reads = method == "GET" || method == "HEAD";
  if (!reads) body();
  step_.type = "http";
  step_.with = {{"http", http_}};
  if (!reads) {
    step_.with["effect"] = "at_most_once";
    step_.check.push_back(
        fmt::format("a {} that was interrupted is not repeated; say `effect: idempotent` if the receiver "
                    "honours the Idempotency-Key header",
                    method));
  }
  if (!arguments_.empty()) step_.with["arguments"] = arguments_;
}

}  // namespace

void map_http(N8nStep& step) {
  Request(step).map();
}

}  // namespace holdfast::flows
