// Roles: what each may, what a text of them says, and how secrets look.

#include "identity/roles.h"

#include <gtest/gtest.h>

#include "fixture/counting_random.h"
#include "identity/secret.h"

namespace holdfast::identity {
namespace {

TEST(Roles, AreTheTableOfTheHeader) {
  struct Row {
    Role role;
    std::string_view may;  // Read, rUn, Decide, dePloy, Work, Admin
  };
  constexpr Row kRows[] = {{Role::kReader, "R"},
                           {Role::kOperator, "RU"},
                           {Role::kApprover, "RD"},
                           {Role::kDeployer, "RPW"},
                           {Role::kAdmin, "RUDPWA"}};
  constexpr std::pair<Permission, char> kPermissions[] = {
      {Permission::kRead, 'R'},   {Permission::kRun, 'U'},  {Permission::kDecide, 'D'},
      {Permission::kDeploy, 'P'}, {Permission::kWork, 'W'}, {Permission::kAdmin, 'A'}};
  for (const Row& row : kRows) {
    Roles roles;
    roles.add("ours", row.role);
    for (const auto& [permission, letter] : kPermissions) {
      EXPECT_EQ(roles.may("ours", permission), row.may.find(letter) != std::string_view::npos)
          << role_name(row.role) << " " << permission_name(permission);
      EXPECT_FALSE(roles.may("theirs", permission)) << "another namespace";
      EXPECT_FALSE(roles.may("", permission));
    }
  }
  EXPECT_FALSE(Roles().may("ours", Permission::kRead)) << "no role, no right";
}

TEST(Roles, OfEveryNamespaceCountInEach) {
  const Roles roles = *Roles::parse(R"({"*":["reader"],"ours":["approver"]})");
  EXPECT_TRUE(roles.may("theirs", Permission::kRead));
  EXPECT_FALSE(roles.may("theirs", Permission::kDecide));
  EXPECT_TRUE(roles.may("ours", Permission::kDecide));
  EXPECT_FALSE(roles.is_admin());
  EXPECT_FALSE(Roles::parse(R"({"ours":["admin"]})")->is_admin()) << "of one namespace only";
  EXPECT_TRUE(Roles::all().is_admin());
}

TEST(Roles, AreReadBackAsTheyWereWritten) {
  const std::string text = R"({"*":["reader"],"ours":["operator","approver"]})";
  EXPECT_EQ(Roles::parse(text)->json(), text);
  EXPECT_TRUE(Roles::parse("")->empty());
  for (const char* wrong : {"[]", "{", R"({"a":"reader"})", R"({"a":["root"]})", R"({"a":[1]})",
                            R"({"":["reader"]})", R"({"a":["Admin"]})"}) {
    EXPECT_EQ(Roles::parse(wrong).error().code(), Code::kInvalidArgument) << wrong;
  }
}

TEST(Secret, IsFoundByItsIdAndKnownByItsHash) {
  fixture::CountingRandom random;
  const Secret secret = new_secret(random);
  const std::string text = secret_text(kKeyPrefix, secret);
  const auto read = parse_secret(kKeyPrefix, text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, secret.id);
  EXPECT_TRUE(is_secret_of(*read, secret_hash(secret)));
  EXPECT_EQ(secret_hash(secret).find(secret.secret), std::string::npos);
  EXPECT_FALSE(is_secret_of(new_secret(random), secret_hash(secret)));
  EXPECT_FALSE(is_secret_of(*read, ""));
  EXPECT_FALSE(parse_secret(kSessionPrefix, text)) << "a key is no session";
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    EXPECT_FALSE(parse_secret(kKeyPrefix, text.substr(0, cut))) << cut;
  EXPECT_FALSE(parse_secret(kKeyPrefix, text + "0"));
  std::string upper = text;
  upper.back() = 'G';
  EXPECT_FALSE(parse_secret(kKeyPrefix, upper));
}

}  // namespace
}  // namespace holdfast::identity
