#include "model/provider.h"

#include "base/ascii.h"

namespace holdfast::model {

Providers providers() {
#define HOLDFAST_ADDRESS(provider) &provider,
  static constexpr const Provider* kProviders[] = {HOLDFAST_MODEL_PROVIDERS(HOLDFAST_ADDRESS)};
#undef HOLDFAST_ADDRESS
  return kProviders;
}

std::string origin_of(std::string_view provider, std::string_view base_url) {
  std::string_view host = base_url;
  if (const auto scheme = host.find("://"); scheme != std::string_view::npos) host.remove_prefix(scheme + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (const auto user = host.rfind('@'); user != std::string_view::npos) host.remove_prefix(user + 1);
  return std::string(provider) + " " + ascii_lower(host);
}

std::string resent_origin(std::string_view provider, const Dialect& dialect) {
  return dialect.plain || dialect.plain_once ? "nobody" : origin_of(provider, dialect.base_url);
}

Result<const Provider*> find_provider(std::string_view name, Providers among) {
  std::string names;
  for (const Provider* provider : among) {
    if (provider->name == name) return provider;
    names.append(names.empty() ? "" : ", ").append(provider->name);
  }
  return fail(Code::kNotFound,
              "there is no model provider `" + std::string(name) + "`; the providers are: " + names);
}

}  // namespace holdfast::model
