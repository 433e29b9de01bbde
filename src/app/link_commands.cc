// approval link, links, revoke.

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/people_commands.h"
#include "app/user_name.h"
#include "base/json.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

std::string links_of(const std::string& approval) {
  return "/api/v1/approvals/" + percent_encode(approval) + "/links";
}

}  // namespace

int make_link(const LinkOptions& options) {
  Json body = {{"for", options.recipient}, {"created_by", user_name()}};
  if (!options.expires.empty()) body["expires_in"] = options.expires;
  ApiSession api(options.api);
  auto answer = api.post(links_of(options.approval), body);
  if (!answer) return answer.error();
  print_line(options.api.json ? dump_json(*answer) : answer->value("url", ""));
  return kExitOk;
}

int list_links(const LinkOptions& options) {
  ApiSession api(options.api);
  auto answer = api.get(links_of(options.approval));
  if (!answer) return answer.error();
  if (options.api.json) {
    print_line(dump_json(*answer));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"LINK", "FOR", "STATE", "EXPIRES", "MADE BY"}};
  for (const Json& row : (*answer)["links"]) {
    table.push_back({row.value("id", ""), row.value("for", ""), row.value("state", ""),
                     row.value("expires_at", ""), row.value("created_by", "")});
  }
  if (table.size() == 1) {
    complain("the approval has no links");
  } else {
    print_table(table);
  }
  return kExitOk;
}

int revoke_link(const LinkOptions& options) {
  ApiSession api(options.api);
  auto answer = api.erase(links_of(options.approval) + "/" + percent_encode(options.link));
  if (!answer) return answer.error();
  print_line(options.api.json ? dump_json(*answer) : "revoked " + options.link);
  return kExitOk;
}

}  // namespace holdfast::app
