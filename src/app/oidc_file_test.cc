// The file of identity providers: what it may say, and that each mistake is named with its place.

#include "app/oidc_file.h"

#include <gmock/gmock.h>

namespace holdfast::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kHead = "apiVersion: holdfast.dev/v1\nkind: IdentityProviders\nproviders:\n";

Result<std::vector<oidc::ProviderSettings>> parse(const std::string& rest) {
  return parse_oidc_file(
      std::string(kHead) + rest, "oidc.yaml",
      [](const ClientSecret& secret) -> Result<std::string> { return secret.variable + "|" + secret.file; });
}

std::string complaint(const std::string& rest) {
  const auto read = parse(rest);
  return read ? "none" : read.error().message();
}

TEST(OidcFile, SaysWhoAndHow) {
  const auto all = parse(
      "  - {name: corp, issuer: 'https://id.example', client_id: hf}\n"
      "  - name: other\n    label: The other\n    issuer: http://localhost:9000/x\n    client_id: hf\n"
      "    client_secret_env: secret:OIDC\n    client_auth: post\n    scopes: [profile, groups]\n    "
      "groups_claim: roles\n"
      "    name_claim: email\n    hosts: [keys.example, 'keys.example:8443']\n    session: 1h\n");
  ASSERT_TRUE(all) << all.error().message();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].label, "corp");
  EXPECT_FALSE((*all)[0].client_secret);
  EXPECT_THAT((*all)[0].scopes, ElementsAre("openid"));
  EXPECT_EQ((*all)[0].session, std::chrono::hours(8));
  EXPECT_EQ((*all)[1].label, "The other");
  EXPECT_EQ(*(*all)[1].client_secret(), "secret:OIDC|");
  EXPECT_THAT((*all)[1].scopes, ElementsAre("openid", "profile", "groups"));
  EXPECT_THAT((*all)[1].hosts, ElementsAre("keys.example", "keys.example:8443"));
  EXPECT_EQ((*all)[1].session, std::chrono::hours(1));
}

TEST(OidcFile, NamesEveryMistake) {
  EXPECT_THAT(complaint("  - {name: Corp, issuer: 'https://id.example', client_id: hf}\n"),
              HasSubstr("oidc.yaml:4:"));
  EXPECT_THAT(complaint("  - {name: corp, issuer: 'http://id.example', client_id: hf}\n"),
              HasSubstr("not https"));
  EXPECT_THAT(complaint("  - {name: corp, client_id: hf}\n"), HasSubstr("issuer"));
  EXPECT_THAT(complaint("  - {name: corp, issuer: 'https://id.example', client_id: hf, secret: x}\n"),
              HasSubstr("secret"));
  EXPECT_THAT(
      complaint("  - {name: corp, issuer: 'https://id.example', client_id: hf, client_secret_env: 'a b'}\n"),
      HasSubstr("not the secret"));
  EXPECT_THAT(complaint("  - {name: corp, issuer: 'https://id.example', client_id: hf, client_secret_env: A, "
                        "client_secret_file: b}\n"),
              HasSubstr("one of them"));
  EXPECT_THAT(
      complaint("  - {name: corp, issuer: 'https://id.example', client_id: hf, hosts: ['https://x/y']}\n"),
      HasSubstr("hosts"));
  EXPECT_THAT(complaint("  - {name: corp, issuer: 'https://id.example', client_id: hf, session: 30d}\n"),
              HasSubstr("session"));
  const std::string one = "  - {name: corp, issuer: 'https://id.example', client_id: hf}\n";
  EXPECT_THAT(complaint(one + one), HasSubstr("two providers"));
  EXPECT_THAT(complaint("  - ["), HasSubstr("broken YAML"));
}

}  // namespace
}  // namespace holdfast::app
