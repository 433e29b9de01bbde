#include "app/oidc_role.h"

#include <fmt/format.h>

#include <filesystem>

#include "app/input_file.h"
#include "app/oidc_file.h"
#include "definition/value_name.h"

namespace holdfast::app {

namespace {

constexpr std::size_t kMaxClientSecretBytes = 4096;

Result<std::string> read_secret_file(const std::string& folder, const std::string& file) {
  auto text = read_file(std::filesystem::path(folder) / file, kMaxClientSecretBytes);
  if (!text) return text;
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  if (text->empty()) return fail(Code::kFailedPrecondition, fmt::format("{} is empty", file));
  return text;
}

}  // namespace

Result<std::vector<oidc::ProviderSettings>> read_oidc_file(
    const std::string& file, grant::Environment environment,
    std::function<Result<std::string>(const std::string& name)> secret) {
  auto text = read_file(file);
  if (!text) return fail(text.error().code(), "--oidc: " + text.error().message());
  return parse_oidc_file(*text, file,
                         [folder = folder_of(file), environment,
                          secret = std::move(secret)](const ClientSecret& from) -> Result<std::string> {
                           if (!from.file.empty()) return read_secret_file(folder, from.file);
                           if (const auto name = agent::secret_named(from.variable))
                             return secret(std::string(*name));
                           if (const char* value = environment(from.variable.c_str()))
                             return std::string(value);
                           return fail(Code::kFailedPrecondition,
                                       fmt::format("the environment variable {} is not set", from.variable));
                         });
}

}  // namespace holdfast::app
