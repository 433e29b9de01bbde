// Goal: a stored secret is had on the same terms as a variable, under its own name alone; what is refused
// names the grant, which then works; texts are rid of every value that it had. Method: a source of our own.

#include <gmock/gmock.h>

#include <map>

#include "grant/grants.h"

namespace holdfast::grant {
namespace {

using agent::Need;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Source final : public SecretSource {
 public:
  Result<std::string> use(const std::string& name) override {
    ++used[name];
    const auto found = all.find(name);
    if (found == all.end()) return fail(Code::kNotFound, "there is no secret " + name);
    return found->second.back();
  }
  std::vector<std::string> values(const std::string& name) const override {
    ++asked;
    const auto found = all.find(name);
    return found == all.end() ? std::vector<std::string>() : found->second;
  }
  std::uint64_t changes() const override { return changed; }

  std::map<std::string, std::vector<std::string>> all;
  std::map<std::string, int> used;
  std::uint64_t changed = 0;
  mutable int asked = 0;
};

const char* no_variable(const char*) {
  return nullptr;
}

class GrantedSecrets : public ::testing::Test {
 protected:
  GrantedSecrets() {
    source_.all["TOKEN"] = {"tok-very-secret"};
    grants_.take_secrets_from(&source_);
  }
  void allow(const std::string& text) {
    auto grant = parse_grant(text);
    ASSERT_TRUE(grant) << grant.error().message();
    grants_.allow(*std::move(grant));
  }

  Source source_;
  Grants grants_{no_variable};
};

TEST_F(GrantedSecrets, AreRefusedWithTheGrantThatThenWorks) {
  const std::pair<Need, std::string> needs[] = {
      {{.kind = Need::Kind::kKey, .name = "secret:TOKEN", .url = "https://api.example/v1"},
       "key:secret:TOKEN@api.example"},
      {{.kind = Need::Kind::kVariable, .name = "secret:TOKEN", .url = "https://hooks.example"},
       "secret:TOKEN@hooks.example"},
      {{.kind = Need::Kind::kVariable, .name = "secret:TOKEN", .url = {}}, "secret:TOKEN"},
  };
  for (const auto& [need, grant] : needs) {
    const Status refused = Grants(no_variable).of("v")->check(need);
    EXPECT_THAT(net::missing_grants(refused), ElementsAre(grant));
    EXPECT_THAT(refused.message(), HasSubstr("the secret TOKEN"));
    Grants with(no_variable);
    with.allow(*parse_grant(grant));
    EXPECT_TRUE(with.of("v")->check(need).ok()) << grant;
  }
  EXPECT_EQ(source_.used["TOKEN"], 0) << "whether a definition may be put needs no value";
}

TEST_F(GrantedSecrets, AreWhatTheyAreNowWhereTheyMayGo) {
  allow("secret:TOKEN@hooks.example");
  const auto permits = grants_.of("v");
  EXPECT_EQ(*permits->variable("secret:TOKEN", "https://hooks.example/x"), "tok-very-secret");
  source_.all["TOKEN"].push_back("another-very-secret");
  EXPECT_EQ(*permits->variable("secret:TOKEN", "https://hooks.example/x"), "another-very-secret");
  for (const char* elsewhere : {"https://other.example/x", "http://hooks.example/x", ""})
    EXPECT_EQ(permits->variable("secret:TOKEN", elsewhere).error().code(), Code::kPermissionDenied);
  EXPECT_FALSE(permits->key("secret:TOKEN", "https://hooks.example/x"));
  EXPECT_FALSE(permits->variable("TOKEN", "https://hooks.example/x")) << "a variable of that name is another";
  source_.all.clear();
  const auto gone = permits->variable("secret:TOKEN", "https://hooks.example/x");
  EXPECT_EQ(gone.error().code(), Code::kNotFound);
  EXPECT_THAT(gone.error().message(), Not(HasSubstr("very-secret")));
}

TEST_F(GrantedSecrets, GoAsAKeyOnlyWhereTheyWereGrantedAsOne) {
  allow("key:secret:TOKEN@api.example");
  EXPECT_EQ(*grants_.of("v")->key("secret:TOKEN", "https://api.example/v1"), "tok-very-secret");
  EXPECT_FALSE(grants_.of("v")->key("secret:TOKEN", "https://other.example/v1"));
}

TEST_F(GrantedSecrets, OfADefinitionThatIsPassedAreGrantedToIt) {
  grants_.allow_named("his",
                      {{.kind = Need::Kind::kVariable, .name = "secret:TOKEN", .url = "https://h.example"}});
  EXPECT_TRUE(grants_.of("his")->variable("secret:TOKEN", "https://h.example"));
  EXPECT_FALSE(grants_.of("another")->variable("secret:TOKEN", "https://h.example"));
}

TEST_F(GrantedSecrets, AreTakenOutOfTextsWhateverTheyWere) {
  allow("secret:TOKEN@hooks.example");
  const auto before = grants_.current_redaction();
  EXPECT_EQ(before->apply("a tok-very-secret b"), "a [secret TOKEN] b");
  EXPECT_EQ(grants_.current_redaction(), before);
  EXPECT_EQ(source_.asked, 1) << "made once";
  source_.all["TOKEN"].push_back("another-very-secret");
  ++source_.changed;
  const auto after = grants_.current_redaction();
  EXPECT_EQ(after->apply("tok-very-secret another-very-secret"), "[secret TOKEN] [secret TOKEN]");
}

TEST(Secrets, WithoutAVaultSayThatThereIsNone) {
  Grants grants(no_variable);
  grants.allow(*parse_grant("secret:TOKEN"));
  EXPECT_EQ(grants.of("v")->program_variable("secret:TOKEN").error().code(), Code::kFailedPrecondition);
}

TEST(Secrets, ThatHaveNoNameAreNoGrant) {
  for (const char* wrong : {"secret:", "secret:@h.example", "secret:A B", "secret:A/B@h.example",
                            "key:secret:A", "key:secret:@h.example", "secret:A@"})
    EXPECT_FALSE(parse_grant(wrong)) << wrong;
}

}  // namespace
}  // namespace holdfast::grant
