// Signing in at an identity provider, whole: begun here, answered by a provider that plays its part over our
// HTTP client's interface with keys of its own, and ended on a real store. Time moves when a test says so.
// The real provider of npm stands in tests/api_e2e/test_oidc.py.

#include "oidc/login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/url.h"
#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "oidc/groups.h"
#include "oidc/test_keys.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::oidc {
namespace {

using Json = nlohmann::json;
using identity::Caller;
using identity::Permission;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Answers as a provider does. What it is asked is kept.
class PlayedProvider final : public net::HttpClient {
 public:
  explicit PlayedProvider(const Clock& clock) : clock_(clock) {}

  void start(net::HttpRequest request, net::HttpHandler handler, std::stop_token) override {
    asked.push_back(request.url);
    const auto origin = net::read_url(request.url);
    const auto refused =
        request.reach != nullptr && origin ? request.reach->refusal(origin->origin) : std::nullopt;
    if (!origin || request.reach == nullptr || refused) {
      net::HttpError error;
      error.failure = net::HttpFailure::kRefused;
      error.message = refused ? refused->what : "no reach";
      return handler.done(std::unexpected(std::move(error)));
    }
    last = request;
    net::HttpHead head;
    head.status = status;
    const std::string body = answer(request.url.substr(request.url.rfind('/')));
    if (handler.head) handler.head(head);
    if (handler.body) handler.body(body);
    handler.done({});
  }

  std::string answer(std::string_view path) {
    if (path == "/openid-configuration") return configuration.dump();
    if (path == "/keys") {
      Json out = {{"keys", Json::array()}};
      out["keys"].push_back(published->jwk());
      return out.dump();
    }
    if (path == "/userinfo") return userinfo.dump();
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
    Json all = {{"iss", "https://id.example"},
                {"aud", "holdfast"},
                {"exp", now + 60},
                {"iat", now},
                {"nonce", nonce}};
    all.update(claims);
    return Json{{"id_token", signing->token(all)}, {"access_token", "at"}, {"token_type", "Bearer"}}.dump();
  }

  Json configuration = {{"issuer", "https://id.example"},
                        {"authorization_endpoint", "https://id.example/authorize?tenant=1"},
                        {"token_endpoint", "https://id.example/token"},
                        {"jwks_uri", "https://id.example/keys"}};
  Json claims = {{"sub", "4711"}, {"preferred_username", "ada"}, {"groups", {"staff"}}};
  Json userinfo;
  std::string nonce;
  int status = 200;
  TestKey first{"ES256", "one"};
  const TestKey* signing = &first;
  const TestKey* published = &first;
  std::vector<std::string> asked;
  net::HttpRequest last;

 private:
  const Clock& clock_;
};

std::map<std::string, std::string> query_of(const std::string& url) {
  std::map<std::string, std::string> out;
  std::string rest = url.substr(url.find('?') + 1);
  while (!rest.empty()) {
    const std::string pair = rest.substr(0, rest.find('&'));
    rest.erase(0, std::min(pair.size() + 1, rest.size()));
    out[pair.substr(0, pair.find('='))] = percent_decode(pair.substr(pair.find('=') + 1), true).value_or("?");
  }
  return out;
}

class LoginTest : public ::testing::Test {
 protected:
  LoginTest() {
    platform::SqliteOptions options;
    options.directory = folder_.path();
    stores_ = *platform::open_sqlite(options, clock_, random_, flusher_);
    directory_ = *identity::Directory::open(*stores_.identities, clock_, random_, writer_);
    settings_.name = "corp";
    settings_.label = "Corp";
    settings_.issuer = "https://id.example";
    settings_.client_id = "holdfast";
    settings_.client_secret = []() -> Result<std::string> { return "a secret"; };
    open();
    mean("staff", R"({"default":["operator"]})", R"(["payments"])");
  }
  void open() {
    login_ = std::make_unique<Login>(std::vector{settings_}, provider_, *directory_, *stores_.oidc, clock_,
                                     random_);
  }
  void mean(const std::string& group, const std::string& roles, const std::string& teams = "") {
    platform::OidcGroup row;
    row.provider = "corp";
    row.name = group;
    row.roles = roles;
    row.teams = teams;
    const auto set = login_->set_group(row, "root");
    ASSERT_TRUE(set) << set.error().message();
  }
  // A browser's way, up to the provider's answer.
  Login::Begun begin(std::string_view return_to = "/runs/7") {
    auto begun = login_->begin("corp", "https://holdfast.example", return_to);
    EXPECT_TRUE(begun) << begun.error().message();
    query_ = query_of(begun->url);
    provider_.nonce = query_["nonce"];
    return *begun;
  }
  Result<Login::Finished> sign_in() {
    const auto begun = begin();
    return finish(begun);
  }
  Result<Login::Finished> finish(const Login::Begun& begun) {
    return login_->finish(
        {.cookie = begun.cookie, .state = query_["state"], .code = "the code", .error = {}, .issuer = {}},
        "a browser");
  }
  bool may(const Login::Finished& who, Permission permission) {
    const auto caller = directory_->by_session(who.session.text);
    return caller && directory_->check(*caller, "default", permission).ok();
  }

  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  fixture::TemporaryDirectory folder_;
  os::ThreadExecutor flusher_{"flusher"};
  os::ThreadExecutor writer_{"writer"};
  platform::OpenStores stores_;
  std::unique_ptr<identity::Directory> directory_;
  PlayedProvider provider_{clock_};
  ProviderSettings settings_;
  std::unique_ptr<Login> login_;
  std::map<std::string, std::string> query_;
};

TEST_F(LoginTest, APersonOfAGroupIsSignedIn) {
  const auto begun = begin();
  EXPECT_THAT(begun.url, testing::StartsWith("https://id.example/authorize?tenant=1&response_type=code&"));
  EXPECT_EQ(query_["client_id"], "holdfast");
  EXPECT_EQ(query_["redirect_uri"], "https://holdfast.example/oidc/callback");
  EXPECT_EQ(query_["code_challenge_method"], "S256");
  EXPECT_EQ(query_["code_challenge"].size(), 43u);
  EXPECT_THAT(begun.cookie, testing::Not(HasSubstr(query_["state"])));
  const auto finished = finish(begun);
  ASSERT_TRUE(finished) << finished.error().message();
  EXPECT_EQ(finished->return_to, "/runs/7");
  EXPECT_EQ(finished->session.row.principal, "ada@corp");
  EXPECT_EQ(*finished->session.row.expires_at, clock_.now() + std::chrono::hours(8));
  EXPECT_TRUE(may(*finished, Permission::kRun));
  EXPECT_FALSE(may(*finished, Permission::kDecide));
  EXPECT_THAT(login_->teams_of("ada@corp"), ElementsAre("payments"));
  EXPECT_THAT(login_->teams_of("root"), IsEmpty());
  EXPECT_EQ(directory_->principal("ada@corp")->password, "");
  const auto said = stores_.store->audit_rows("ada@corp", 10);
  std::vector<std::string> actions;
  for (const auto& row : *said) actions.push_back(row.action);
  EXPECT_THAT(actions, ElementsAre("identity.signed_in", "identity.person_linked",
                                   "identity.principal_changed", "identity.principal_added"));
  EXPECT_THAT(said->front().detail, HasSubstr("corp"));
}

TEST_F(LoginTest, TheCodeIsRedeemedWithTheVerifierAndTheSecret) {
  ASSERT_TRUE(sign_in());
  EXPECT_THAT(provider_.asked, ElementsAre("https://id.example/.well-known/openid-configuration",
                                           "https://id.example/token", "https://id.example/keys"));
  ASSERT_TRUE(sign_in());
  EXPECT_EQ(provider_.asked.size(), 4u) << "configuration and keys are kept";
  EXPECT_THAT(provider_.last.url, "https://id.example/token");
  auto sent = query_of("?" + provider_.last.body);
  EXPECT_EQ(sent["grant_type"], "authorization_code");
  EXPECT_EQ(sent["code"], "the code");
  EXPECT_EQ(challenge_of(sent["code_verifier"]), query_["code_challenge"]);
  EXPECT_FALSE(sent.contains("client_secret"));
  EXPECT_EQ(provider_.last.headers.back().first, "Accept");
  EXPECT_THAT(provider_.last.headers,
              testing::Contains(testing::Pair("Authorization", "Basic aG9sZGZhc3Q6YSUyMHNlY3JldA==")));
}

TEST_F(LoginTest, RolesAreThoseOfTheGroupsOfNow) {
  const auto first = sign_in();
  ASSERT_TRUE(first);
  mean("approvers", R"({"default":["approver"]})");
  provider_.claims["groups"] = {"approvers"};
  const auto second = sign_in();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->session.row.principal, "ada@corp");
  EXPECT_TRUE(may(*second, Permission::kDecide));
  EXPECT_FALSE(may(*second, Permission::kRun));
  EXPECT_FALSE(may(*first, Permission::kRun)) << "the session of before, too";
  EXPECT_THAT(login_->teams_of("ada@corp"), IsEmpty());
  provider_.claims["groups"] = {"elsewhere"};
  const auto third = sign_in();
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code(), Code::kPermissionDenied);
  EXPECT_FALSE(may(*second, Permission::kDecide));
  EXPECT_TRUE(login_->delete_group("corp", "approvers", "root").ok());
  EXPECT_EQ(login_->delete_group("corp", "approvers", "root").code(), Code::kNotFound);
}

TEST_F(LoginTest, WhoHasNoGroupThatMeansSomethingIsNobody) {
  for (const Json& groups : {Json::array(), Json("nobody"), Json(7), Json({{"staff", true}})}) {
    provider_.claims["groups"] = groups;
    const auto refused = sign_in();
    ASSERT_FALSE(refused) << groups.dump();
    EXPECT_THAT(refused.error().message(), HasSubstr("holdfast group set corp"));
  }
  EXPECT_FALSE(directory_->principal("ada@corp"));
}

TEST_F(LoginTest, WhoSomebodyIsFollowsFromIssuerAndSubject) {
  identity::Roles admin = identity::Roles::all();
  platform::Principal local;
  local.name = "ada";
  ASSERT_TRUE(directory_->add(local, admin, "set-up"));
  const auto ada = sign_in();
  ASSERT_TRUE(ada);
  EXPECT_FALSE(may(*ada, Permission::kAdmin)) << "a name of theirs is none of ours";
  // Another person who took that name, and the first under another one.
  provider_.claims["sub"] = "4712";
  EXPECT_EQ(sign_in()->session.row.principal, "ada+2@corp");
  provider_.claims = {{"sub", "4711"}, {"preferred_username", "countess"}, {"groups", "staff"}};
  EXPECT_EQ(sign_in()->session.row.principal, "ada@corp");
  provider_.claims = {{"sub", "u/8"}, {"email", "b b@x.example"}, {"groups", {"staff"}}};
  EXPECT_EQ(sign_in()->session.row.principal, "b-b@x.example@corp");
  provider_.claims = {{"sub", "u/9"}, {"groups", {"staff"}}};
  EXPECT_EQ(sign_in()->session.row.principal, "u-9@corp");
  ASSERT_TRUE(directory_->change("ada@corp", {.roles = {}, .disabled = true, .password_hash = {}}, "root"));
  provider_.claims = {{"sub", "4711"}, {"groups", {"staff"}}};
  EXPECT_THAT(sign_in().error().message(), HasSubstr("is disabled here"));
}

TEST_F(LoginTest, AnAnswerThatIsNotThisBrowsersIsRefused) {
  const auto begun = begin();
  const auto with = [&](Login::Returned returned) { return login_->finish(returned, "b").error().message(); };
  const std::string state = query_["state"];
  EXPECT_THAT(with({.cookie = "", .state = state, .code = "c", .error = {}, .issuer = {}}),
              HasSubstr("begun no sign-in"));
  EXPECT_THAT(with({.cookie = begun.cookie + "A", .state = state, .code = "c", .error = {}, .issuer = {}}),
              HasSubstr("begun no sign-in"));
  EXPECT_THAT(with({.cookie = begun.cookie, .state = state + "x", .code = "c", .error = {}, .issuer = {}}),
              HasSubstr("(state)"));
  EXPECT_THAT(with({.cookie = begun.cookie, .state = "", .code = "c", .error = {}, .issuer = {}}),
              HasSubstr("(state)"));
  EXPECT_THAT(with({.cookie = begun.cookie,
                    .state = state,
                    .code = "c",
                    .error = {},
                    .issuer = "https://evil.example"}),
              HasSubstr("(iss)"));
  EXPECT_THAT(
      with({.cookie = begun.cookie, .state = state, .code = "", .error = "access_denied", .issuer = {}}),
      HasSubstr("Corp says: access_denied"));
  provider_.nonce = "of another sign-in";
  EXPECT_THAT(finish(begun).error().message(), HasSubstr("(nonce)"));
  provider_.nonce = query_["nonce"];
  clock_.ns += std::chrono::nanoseconds(kLoginLasts).count();
  EXPECT_THAT(finish(begun).error().message(), HasSubstr("too long ago"));
  // A cookie of a server that has gone.
  const auto old = begin();
  open();
  EXPECT_THAT(finish(old).error().message(), HasSubstr("begun no sign-in"));
}

TEST_F(LoginTest, NobodyIsSentToAnotherSite) {
  for (std::string_view elsewhere :
       {"https://evil.example", "//evil.example", "/\\evil.example", "evil", "", "/a b", "/a\r\nb"}) {
    begin(elsewhere);
    provider_.claims["groups"] = {"staff"};
    EXPECT_EQ(finish(begin(elsewhere))->return_to, "/") << elsewhere;
  }
  EXPECT_EQ(login_->begin("other", "https://x.example", "/").error().code(), Code::kNotFound);
}

TEST_F(LoginTest, ANewKeyIsFetchedAndNotMoreOftenThanItsTime) {
  ASSERT_TRUE(sign_in());
  const TestKey next("RS256", "two");
  provider_.signing = provider_.published = &next;
  const auto fetches = [&] {
    return std::count(provider_.asked.begin(), provider_.asked.end(), "https://id.example/keys");
  };
  EXPECT_THAT(sign_in().error().message(), HasSubstr("(kid)")) << "the keys were asked for just now";
  EXPECT_EQ(fetches(), 1);
  clock_.ns += std::chrono::nanoseconds(kKeysNotBefore).count();
  EXPECT_TRUE(sign_in());
  EXPECT_EQ(fetches(), 2);
  const TestKey unpublished("RS256", "three");
  provider_.signing = &unpublished;
  clock_.ns += std::chrono::nanoseconds(kKeysNotBefore).count();
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(sign_in());
  EXPECT_EQ(fetches(), 3);
}

TEST_F(LoginTest, ItIsAskedAtItsOwnHostsAlone) {
  provider_.configuration["jwks_uri"] = "https://keys.example/keys";
  const auto refused = sign_in();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("`hosts`"));
  settings_.hosts = {"keys.example"};
  open();
  EXPECT_TRUE(sign_in());
  provider_.configuration["token_endpoint"] = "http://id.example/token";
  open();
  EXPECT_THAT(login_->begin("corp", "https://h.example", "/").error().message(), HasSubstr("not https"));
  provider_.configuration["issuer"] = "https://id.example/";
  open();
  EXPECT_THAT(login_->begin("corp", "https://h.example", "/").error().message(),
              HasSubstr("letter by letter"));
}

TEST_F(LoginTest, GroupsMayComeFromTheUserinfo) {
  provider_.claims.erase("groups");
  provider_.configuration["userinfo_endpoint"] = "https://id.example/userinfo";
  provider_.userinfo = {{"sub", "4711"}, {"groups", {"staff"}}};
  EXPECT_TRUE(sign_in());
  provider_.userinfo["sub"] = "4712";
  EXPECT_THAT(sign_in().error().message(), HasSubstr("another person"));
}

TEST_F(LoginTest, AProviderThatFailsSaysSo) {
  ASSERT_TRUE(sign_in());
  const auto begun = begin();
  provider_.status = 503;
  EXPECT_EQ(finish(begun).error().code(), Code::kUnavailable);
  provider_.status = 400;
  EXPECT_EQ(finish(begun).error().code(), Code::kUnauthenticated);
  settings_.client_secret = []() -> Result<std::string> {
    return fail(Code::kNotFound, "there is no secret OIDC");
  };
  provider_.status = 200;
  open();
  EXPECT_THAT(sign_in().error().message(), HasSubstr("there is no secret OIDC"));
}

TEST_F(LoginTest, AGroupMeansRolesOrTeamsOfWhatIsThere) {
  platform::OidcGroup row;
  row.provider = "corp";
  row.name = "x";
  const auto code = [&] { return login_->set_group(row, "root").error().code(); };
  EXPECT_EQ(code(), Code::kInvalidArgument) << "nothing";
  row.roles = R"({"default":["king"]})";
  EXPECT_EQ(code(), Code::kInvalidArgument);
  row.roles = "";
  row.teams = R"(["a b"])";
  EXPECT_EQ(code(), Code::kInvalidArgument);
  row.teams = R"(["ok"])";
  row.provider = "other";
  EXPECT_EQ(code(), Code::kNotFound);
  row.provider = "corp";
  EXPECT_TRUE(login_->set_group(row, "root"));
  EXPECT_EQ(login_->groups()->size(), 2u);
}

}  // namespace
}  // namespace holdfast::oidc
