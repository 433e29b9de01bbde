#include "grant/grant.h"

#include <fmt/format.h>

#include "base/json.h"
#include "definition/mcp_servers.h"
#include "definition/value_name.h"

namespace holdfast::grant {

namespace {

constexpr std::string_view kForms =
    "host:HOST[:PORT][/CLASS], key:NAME@HOST[:PORT], env:NAME[@HOST[:PORT]], secret:NAME[@HOST[:PORT]], "
    "database:PATH, "
    "database.write:PATH, activity:NAME@QUEUE or command:[\"/PROGRAM\",\"ARGUMENT\"]";

std::unexpected<Status> wrong(std::string_view text, std::string_view why) {
  return fail(Code::kInvalidArgument,
              fmt::format("grant `{}`: {}; a grant is {}", text.substr(0, 200), why, kForms));
}

Result<Grant> variable(std::string_view text, std::string_view rest, Grant::Kind kind) {
  Grant out;
  out.kind = kind;
  const std::size_t at = rest.find('@');
  out.name = rest.substr(0, at);
  if (out.name.empty() || !agent::is_value_name(out.name))
    return wrong(text, "that is no name of an environment variable, nor of a secret");
  if (at == std::string_view::npos) {
    if (kind == Grant::Kind::kKey) return wrong(text, "a key is granted together with the host it goes to");
    return out;
  }
  auto host = net::parse_host_rule(rest.substr(at + 1));
  if (!host) return wrong(text, host.error().message());
  out.host = *std::move(host);
  return out;
}

Result<Grant> database(std::string_view text, std::string_view path, bool writes) {
  const bool server = path.starts_with("postgres://") || path.starts_with("postgresql://");
  if (path.find('\0') != std::string_view::npos ||
      !(path.starts_with('/') || path.starts_with("${") || server)) {
    return wrong(
        text, "the path of a database is absolute, begins with a variable, or is an address of PostgreSQL");
  }
  Grant out;
  out.kind = Grant::Kind::kDatabase;
  out.name = path;
  out.writes = writes;
  return out;
}

Result<Grant> activity(std::string_view text, std::string_view rest) {
  const std::size_t at = rest.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == rest.size())
    return wrong(text, "an activity is granted together with its task queue");
  Grant out;
  out.kind = Grant::Kind::kActivity;
  out.name = rest;
  return out;
}

// With its arguments: a program such as an interpreter is what its arguments make of it.
Result<Grant> command(std::string_view text, std::string_view rest) {
  std::vector<std::string> words;
  if (rest.starts_with('[')) {
    const auto list = parse_json(rest);
    for (const auto& word : list.is_array() ? list : nlohmann::json::array()) {
      if (!word.is_string()) return wrong(text, "a command line is a JSON list of texts");
      words.push_back(word.get<std::string>());
    }
  } else {
    words.emplace_back(rest);
  }
  if (words.empty() || !words.front().starts_with('/'))
    return wrong(text, "a command begins with the absolute path of a program");
  Grant out;
  out.kind = Grant::Kind::kCommand;
  out.name = agent::command_text(words);
  return out;
}

Result<Grant> read_grant(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong(text, "it says not of what kind it is");
  const std::string_view kind = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (kind == "host") {
    auto host = net::parse_host_rule(rest);
    if (!host) return wrong(text, host.error().message());
    Grant out;
    out.host = *std::move(host);
    return out;
  }
  if (kind == "key") return variable(text, rest, Grant::Kind::kKey);
  if (kind == "env") return variable(text, rest, Grant::Kind::kVariable);
  // As the definition writes it.
  if (kind == "secret") return variable(text, text, Grant::Kind::kVariable);
  if (kind == "database") return database(text, rest, false);
  if (kind == "database.write") return database(text, rest, true);
  if (kind == "activity") return activity(text, rest);
  if (kind == "command") return command(text, rest);
  return wrong(text, fmt::format("there is no kind `{}`", kind));
}

}  // namespace

Result<Grant> parse_grant(std::string_view text) {
  Result<Grant> out = read_grant(text);
  if (out) out->written = text;
  return out;
}

std::string shown(const Grant& grant) {
  const std::string& text = grant.written;
  const std::size_t scheme = text.find("://");
  if (grant.kind != Grant::Kind::kDatabase || scheme == std::string::npos) return text;
  const std::size_t user = scheme + 3;
  const std::size_t end = text.find_first_of("/?", user);
  const std::size_t at = text.rfind('@', end);
  const std::size_t colon = text.find(':', user);
  if (at == std::string::npos || at < user || colon > at) return text;
  return text.substr(0, colon + 1) + "***" + text.substr(at);
}

}  // namespace holdfast::grant
