#include "model/limits.h"

#include "model/provider.h"

namespace holdfast::model {

std::string host_of(std::string_view url) {
  // An origin is a format and its host.
  return origin_of("", url).substr(1);
}

bool Limit::is_about(const KeyUse& use) const {
  return (key.empty() || key == use.key) && (host.empty() || host == use.host) &&
         (model.empty() || model == use.model);
}

std::string Limit::name() const {
  std::string out = key;
  if (!host.empty()) out.append(out.empty() ? "" : "@").append(host);
  if (!model.empty()) out.append(out.empty() ? "" : " ").append(model);
  return out;
}

}  // namespace holdfast::model
