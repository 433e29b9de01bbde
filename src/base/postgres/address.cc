#include "postgres/address.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <memory>

namespace holdfast::postgres {

namespace {

constexpr std::string_view kSchemaParameter = "schema=";

Status wrong(std::string_view why) {
  return {Code::kInvalidArgument,
          fmt::format("that is no address of PostgreSQL ({}): it reads postgres://USER@HOST:PORT/DATABASE, "
                      "with ?schema=NAME when it is not {}",
                      why, kDefaultSchema)};
}

bool is_schema(std::string_view name) {
  constexpr std::size_t kMaxIdentifier = 63;
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.size() <= kMaxIdentifier && std::ranges::all_of(name, fits) &&
         !(name.front() >= '0' && name.front() <= '9') && !name.starts_with("pg_");
}

// Takes our own parameter out of the address.
Status take_schema(std::string& url, std::string& schema) {
  const std::size_t question = url.find('?');
  if (question == std::string::npos) return {};
  std::string kept;
  for (std::size_t at = question + 1; at <= url.size();) {
    const std::size_t end = std::min(url.find('&', at), url.size());
    const std::string_view one = std::string_view(url).substr(at, end - at);
    if (one.starts_with(kSchemaParameter)) {
      schema = one.substr(kSchemaParameter.size());
      if (!is_schema(schema))
        return wrong("a schema's name is of a-z, 0-9 and _, and does not begin with a digit or pg_");
    } else if (!one.empty()) {
      kept += (kept.empty() ? "?" : "&") + std::string(one);
    }
    at = end + 1;
  }
  url = url.substr(0, question) + kept;
  return {};
}

}  // namespace

std::string Address::text() const {
  const auto value = [&](const char* name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
  };
  std::string host = value("host");
  if (host.empty()) host = value("hostaddr");
  if (const std::string port = value("port"); !port.empty()) host += ":" + port;
  return fmt::format("postgres://{}/{} (schema {})", host, value("dbname"), schema);
}

Result<Address> parse_address(std::string_view text) {
  if (!text.starts_with("postgres://") && !text.starts_with("postgresql://"))
    return fail(wrong("it does not begin with postgres://"));
  Address out;
  std::string url(text);
  if (Status status = take_schema(url, out.schema); !status.ok()) return fail(status);
  // What libpq says of an address repeats pieces of it, so none of that is told.
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &complaint), PQconninfoFree);
  PQfreemem(complaint);
  if (!options) return fail(wrong("libpq cannot read it"));
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    // "*": libpq's own mark of what nobody may see.
    if (option->dispchar != nullptr && option->dispchar[0] == '*') {
      return fail(Code::kInvalidArgument,
                  "the address of PostgreSQL holds a password, which everybody could read who sees the "
                  "command line: put it into the variable PGPASSWORD or into a passfile (PGPASSFILE)");
    }
    out.parameters.emplace(option->keyword, option->val);
  }
  return out;
}

}  // namespace holdfast::postgres
