#include "app/role_names.h"

namespace holdfast::app {

std::expected<Json, int> roles_json(ApiSession& api, const std::vector<std::string>& roles) {
  Json out = Json::object();
  std::string own;
  for (const std::string& role : roles) {
    const std::size_t at = role.find('@');
    std::string where = at == std::string::npos ? "" : role.substr(at + 1);
    const std::string name = role.substr(0, at);
    if (where.empty() && name == "admin") where = "*";
    if (where.empty()) {
      if (own.empty()) {
        auto info = api.get("/api/v1/info");
        if (!info) return std::unexpected(info.error());
        own = info->value("namespace", "default");
      }
      where = own;
    }
    out[where].push_back(name);
  }
  return out;
}

}  // namespace holdfast::app
