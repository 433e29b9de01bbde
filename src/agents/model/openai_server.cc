#include "model/openai_server.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/url.h"

namespace holdfast::model {

namespace {

std::string host_of(std::string_view base_url) {
  // An origin is a format and its host.
  return origin_of("", base_url).substr(1);
}

bool is_azure(const Dialect& dialect) {
  if (!dialect.api_version.empty()) return true;
  std::string host = host_of(dialect.base_url);
  host = host.substr(0, host.find(':'));
  constexpr std::array<std::string_view, 4> kHosts = {".openai.azure.com", ".cognitiveservices.azure.com",
                                                      ".services.ai.azure.com", ".openai.azure.us"};
  return std::any_of(kHosts.begin(), kHosts.end(), [&](std::string_view end) { return host.ends_with(end); });
}

}  // namespace

net::Headers openai_headers(const std::string& api_key, const Dialect& dialect) {
  if (api_key.empty()) return {};
  if (is_azure(dialect)) return {{"api-key", api_key}};
  return {{"authorization", "Bearer " + api_key}};
}

std::string openai_path(std::string_view path, bool per_deployment, const Request& request,
                        const Dialect& dialect) {
  if (dialect.api_version.empty()) return std::string(path);
  const std::string_view base = std::string_view(dialect.base_url).substr(0, dialect.base_url.find('?'));
  std::string out;
  const bool names_deployment = base.find("/deployments/") != std::string_view::npos;
  const bool versioned = base.find("/openai/v1") != std::string_view::npos;
  if (!names_deployment && !versioned) {
    std::string_view stem = base;
    while (stem.ends_with('/')) stem.remove_suffix(1);
    if (!stem.ends_with("/openai")) out += "/openai";
    if (per_deployment) out += "/deployments/" + percent_encode(request.model);
  }
  return out.append(path).append("?api-version=").append(percent_encode(dialect.api_version));
}

}  // namespace holdfast::model
