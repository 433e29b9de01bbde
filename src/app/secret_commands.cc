#include "app/secret_commands.h"

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/exit_code.h"
#include "app/hidden_input.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "app/secrets_role.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/url.h"
#include "os/clock.h"

namespace holdfast::app {

namespace {

std::string path_of(const std::string& name) {
  return "/api/v1/secrets/" + percent_encode(name);
}

std::string text(const Json& value) {
  return value.is_string() ? one_line(value.get<std::string>()) : std::string();
}

std::expected<std::string, int> read_value(const SecretOptions& options) {
  std::string out;
  if (!options.file && is_terminal()) {
    out = read_hidden_line(fmt::format("Value of {}: ", one_line(options.name)));
  } else {
    auto read = read_file(options.file.value_or("-"), secrets::kMaxSecretBytes + 2);
    if (!read) return std::unexpected(refuse(read.error()));
    out = *std::move(read);
    // `echo value |` and editors end a file with a line break that nobody means.
    if (!options.exact && out.ends_with('\n')) out.pop_back();
    if (!options.exact && out.ends_with('\r')) out.pop_back();
  }
  if (!out.empty()) return out;
  report_error("usage", "the value is empty", "give it on standard input, at the prompt, or with --file");
  return std::unexpected(kExitUsage);
}

}  // namespace

int set_secret(const SecretOptions& options) {
  ApiSession api(options.api);
  auto value = read_value(options);
  if (!value) return value.error();
  const auto set = api.change("PUT", path_of(options.name), {{"value_base64", base64(*value)}}, "*");
  if (!set) return set.error();
  print_line(options.api.json
                 ? dump_json(*set)
                 : fmt::format("set {}, version {}", text((*set)["name"]), set->value("version", 0)));
  return kExitOk;
}

int list_secrets(const SecretOptions& options) {
  ApiSession api(options.api);
  const auto reply = api.get("/api/v1/secrets");
  if (!reply) return reply.error();
  if (options.api.json) {
    print_line(dump_json(*reply));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows = {{"NAME", "VERSION", "SET BY", "SET", "LAST USED", ""}};
  for (const Json& row : (*reply)["secrets"]) {
    rows.push_back({text(row["name"]), std::to_string(row.value("version", 0)), text(row["set_by"]),
                    text(row["set_at"]), text(row["used_at"]),
                    row.value("readable", true) ? "" : "its key is not here"});
  }
  print_table(std::move(rows));
  return kExitOk;
}

int delete_secret(const SecretOptions& options) {
  ApiSession api(options.api);
  const auto reply = api.erase(path_of(options.name));
  if (!reply) return reply.error();
  print_line(options.api.json ? dump_json(*reply) : fmt::format("deleted {}", one_line(options.name)));
  return kExitOk;
}

int new_secret_key(const SecretKeyOptions& options) {
  os::SystemRandom random;
  const auto keys = secrets::KeyRing::fresh(random);
  if (Status status = write_key_file(options.file, keys); !status.ok()) return refuse(status);
  print_line(fmt::format("made {}, the key {}", options.file, keys.current_id()));
  return kExitOk;
}

}  // namespace holdfast::app
