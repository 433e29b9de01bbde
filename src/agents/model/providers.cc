#include "model/provider.h"

namespace holdfast::model {

Providers providers() {
#define HOLDFAST_ADDRESS(provider) &provider,
  static constexpr const Provider* kProviders[] = {HOLDFAST_MODEL_PROVIDERS(HOLDFAST_ADDRESS)};
#undef HOLDFAST_ADDRESS
  return kProviders;
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
