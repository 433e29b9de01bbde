// Goal: a definition gets at what was granted and at nothing else, however it spells it; what is refused
// names the grant, which then works; no refusal tells a secret. Method: tables over an environment and files
// of our own.

#include "grant/grants.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "fixture/temporary_directory.h"
#include "grant/grants_file.h"

namespace holdfast::grant {
namespace {

using agent::Need;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string database_of_shop;

const char* variable(const char* name) {
  const std::string_view asked = name;
  if (asked == "OPENAI_API_KEY") return "sk-very-secret";
  if (asked == "HOOK_TOKEN") return "hook-very-secret";
  if (asked == "SHOP_DB") return database_of_shop.c_str();
  return nullptr;
}

std::shared_ptr<const Permits> permits(std::initializer_list<std::string> texts, const Own& own = {}) {
  Grants grants(variable);
  for (const std::string& text : texts) {
    auto grant = parse_grant(text);
    EXPECT_TRUE(grant) << grant.error().message();
    if (grant) grants.allow(*std::move(grant));
  }
  grants.keep_out_of(own);
  return grants.of("some version");
}

Need host(std::string url) {
  return {.kind = Need::Kind::kHost, .name = {}, .url = std::move(url)};
}
Need sent(Need::Kind kind, std::string name, std::string url) {
  return {.kind = kind, .name = std::move(name), .url = std::move(url)};
}
Need database(std::string path, bool writes = false) {
  return {.kind = Need::Kind::kDatabase, .name = std::move(path), .url = {}, .writes = writes};
}

constexpr Need::Kind kKey = Need::Kind::kKey;
constexpr Need::Kind kVariable = Need::Kind::kVariable;

TEST(Grants, WithoutThemNothingIsThereAndTheGrantToAddWorks) {
  const std::pair<Need, const char*> needs[] = {
      {host("http://127.0.0.1:9090"), "host:127.0.0.1:9090"},
      {host("https://hooks.example.com/x"), "host:hooks.example.com"},
      {sent(kKey, "OPENAI_API_KEY", "https://api.openai.com/v1"), "key:OPENAI_API_KEY@api.openai.com"},
      {sent(kKey, "OPENAI_API_KEY", "http://models.example/v1"), "key:OPENAI_API_KEY@models.example:80"},
      {sent(kVariable, "AWS_SECRET", "https://hooks.example.com"), "env:AWS_SECRET@hooks.example.com"},
      {database("/etc/passwd"), "database:/etc/passwd"},
      {database("/srv/../etc/passwd"), "database:/srv/../etc/passwd"},
      {database("${SHOP_DB}"), "database:${SHOP_DB}"},
      {database("/srv/${HOOK_TOKEN}.db", true), "database.write:/srv/${HOOK_TOKEN}.db"},
  };
  for (const auto& [need, grant] : needs) {
    const Status refused = permits({})->check(need);
    EXPECT_EQ(refused.code(), Code::kPermissionDenied) << grant;
    EXPECT_THAT(net::missing_grants(refused), ElementsAre(grant));
    EXPECT_THAT(refused.message(), HasSubstr(std::string("--grant ") + grant));
    EXPECT_THAT(refused.message(), Not(HasSubstr("very-secret")));
    EXPECT_TRUE(permits({grant})->check(need).ok()) << grant;
  }
}

TEST(Grants, AKeyGoesToItsHostAlone) {
  const auto own = permits({"key:OPENAI_API_KEY@api.openai.com", "key:OPENAI_API_KEY@127.0.0.1:8000",
                            "host:*", "env:OPENAI_API_KEY"});
  EXPECT_EQ(*own->key("OPENAI_API_KEY", "https://api.openai.com/v1"), "sk-very-secret");
  EXPECT_EQ(*own->key("OPENAI_API_KEY", "https://API.OpenAI.com./v1"), "sk-very-secret");
  EXPECT_EQ(*own->key("OPENAI_API_KEY", "http://127.0.0.1:8000/v1"), "sk-very-secret");
  for (const char* elsewhere : {"https://evil.example/v1", "https://api.openai.com.evil.example/v1",
                                "https://api.openai.com@evil.example/v1",
                                "https://evil.example/api.openai.com", "http://api.openai.com/v1",
                                "http://127.0.0.1:8001/v1", "https://xapi.openai.com/v1", "api.openai.com"}) {
    EXPECT_FALSE(own->key("OPENAI_API_KEY", elsewhere)) << elsewhere;
    // Nor is it a header of a tool there, though the name alone was granted.
    EXPECT_FALSE(own->variable("OPENAI_API_KEY", elsewhere)) << elsewhere;
  }
  EXPECT_FALSE(own->key("HOOK_TOKEN", "https://api.openai.com/v1"));
  EXPECT_FALSE(permits({"host:*"})->key("OPENAI_API_KEY", "https://api.openai.com/v1"));
  EXPECT_FALSE(permits({"env:OPENAI_API_KEY"})->key("OPENAI_API_KEY", "https://api.openai.com/v1"));
  // The host comes with it.
  EXPECT_TRUE(own->check(host("https://api.openai.com/v1")).ok());
}

TEST(Grants, AVariableIsBoundToAHostOrFree) {
  const auto bound = permits({"env:HOOK_TOKEN@hooks.example.com"});
  EXPECT_EQ(*bound->variable("HOOK_TOKEN", "https://hooks.example.com/x"), "hook-very-secret");
  EXPECT_FALSE(bound->variable("HOOK_TOKEN", "https://other.example.com/x"));
  EXPECT_FALSE(bound->variable("HOOK_TOKEN", "http://hooks.example.com/x"));  // in the clear
  EXPECT_FALSE(bound->database("/srv/${HOOK_TOKEN}", false));
  const auto free = permits({"env:HOOK_TOKEN", "env:UNSET"});
  EXPECT_TRUE(free->variable("HOOK_TOKEN", "http://other.example.com/x"));
  EXPECT_EQ(free->variable("UNSET", "https://other.example.com/x").error().code(), Code::kFailedPrecondition);
  EXPECT_TRUE(free->check(sent(kVariable, "UNSET", "https://other.example.com/x")).ok());
}

TEST(Grants, AProgramIsGrantedWithItsArguments) {
  const std::vector<std::string> server = {"/usr/bin/python3", "/srv/my server.py", "--all"};
  Need need;
  need.kind = Need::Kind::kCommand;
  need.name = agent::command_text(server);
  const Status refused = permits({"command:/usr/bin/python3"})->check(need);
  EXPECT_THAT(refused.message(),
              HasSubstr(R"(--grant 'command:["/usr/bin/python3","/srv/my\u0020server.py","--all"]')"));
  const std::string grant = net::missing_grants(refused).at(0);
  const auto granted = permits({grant, "env:HOOK_TOKEN", "env:SHOP_DB@x.example"});
  EXPECT_TRUE(granted->check(need).ok());
  EXPECT_TRUE(granted->command(server).ok());
  for (const std::vector<std::string>& other : {std::vector<std::string>{"/usr/bin/python3"},
                                                {"/usr/bin/python3", "-c", "evil"},
                                                {},
                                                {"/usr/bin/python3", "/srv/my", "server.py", "--all"}})
    EXPECT_EQ(granted->command(other).code(), Code::kPermissionDenied);
  // A variable that was granted for one host is none for a program.
  EXPECT_EQ(*granted->program_variable("HOOK_TOKEN"), "hook-very-secret");
  EXPECT_EQ(granted->program_variable("SHOP_DB").error().code(), Code::kPermissionDenied);
  EXPECT_TRUE(permits({"command:/bin/true"})->command({"/bin/true"}).ok());
  for (const char* wrong :
       {"command:", "command:true", "command:[]", "command:[1]", "command:[\"true\"]", "command:[\"/a\""})
    EXPECT_FALSE(parse_grant(wrong)) << wrong;
}

class GrantedFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    namespace fs = std::filesystem;
    fs::create_directories(directory_ / "shops/deep");
    fs::create_directories(directory_ / "data/platform");
    for (const char* file : {"shops/a.db", "shops/deep/b.db", "other.db", "data/platform/platform.db"})
      std::ofstream(directory_ / file) << "x";
    fs::create_symlink(directory_ / "other.db", directory_ / "shops/link.db");
    fs::create_symlink(directory_ / "shops/a.db", directory_ / "alias.db");
    database_of_shop = path("shops/a.db");
  }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  fixture::TemporaryDirectory directory_;
};

TEST_F(GrantedFiles, TheFileCountsNotItsSpelling) {
  const auto one = permits({"database:" + path("shops/a.db")});
  for (const char* spelling :
       {"shops/a.db", "shops/../shops/a.db", "shops/./a.db", "alias.db", "shops//a.db"}) {
    const auto file = one->database(path(spelling), false);
    ASSERT_TRUE(file) << spelling;
    EXPECT_EQ(file->filename(), "a.db");
    EXPECT_FALSE(one->database(path(spelling), true)) << spelling;  // reading alone
  }
  for (const char* other :
       {"other.db", "shops/deep/b.db", "shops/link.db", "shops/a.db/../../other.db", "absent.db"})
    EXPECT_FALSE(one->database(path(other), false)) << other;
  EXPECT_FALSE(one->database(path("shops/a.db") + std::string("\0x", 2), false));
  EXPECT_FALSE(one->database("shops/a.db", false));
  EXPECT_FALSE(one->database("file:" + path("shops/a.db"), false));
  EXPECT_TRUE(permits({"database.write:" + path("alias.db")})->database(path("shops/a.db"), true));
}

TEST_F(GrantedFiles, AFolderGrantsWhatIsBelowIt) {
  const auto folder = permits({"database:" + path("shops/")});
  EXPECT_TRUE(folder->database(path("shops/a.db"), false));
  EXPECT_TRUE(folder->database(path("shops/deep/b.db"), false));
  for (const char* other : {"shops/link.db", "shops/../other.db", "other.db", "shops", "shops2/a.db"})
    EXPECT_FALSE(folder->database(path(other), false)) << other;
  EXPECT_FALSE(permits({"database:" + path("shops")})->database(path("shops/a.db"), false));
}

TEST_F(GrantedFiles, VariablesInPaths) {
  EXPECT_TRUE(permits({"database:${SHOP_DB}"})->database("${SHOP_DB}", false));
  EXPECT_FALSE(permits({"database:${SHOP_DB}"})->database(path("shops/a.db"), false));
  EXPECT_TRUE(permits({"env:SHOP_DB", "database:" + path("shops/a.db")})->database("${SHOP_DB}", false));
  EXPECT_FALSE(permits({"database:" + path("shops/a.db")})->database("${SHOP_DB}", false));
  EXPECT_FALSE(permits({"env:SHOP_DB"})->database("${SHOP_DB}", false));
}

TEST_F(GrantedFiles, ThisServersStoresAreNobodys) {
  const auto all = permits({"database.write:/", "database.write:" + path("data/platform/platform.db")},
                           {.ports = {8233}, .paths = {directory_ / "data/platform"}});
  EXPECT_TRUE(all->database(path("other.db"), true));
  for (const char* own :
       {"data/platform/platform.db", "data/../data/platform/platform.db", "data/platform/new.db"}) {
    const auto file = all->database(path(own), false);
    ASSERT_FALSE(file) << own;
    EXPECT_EQ(file.error().code(), Code::kPermissionDenied);
    EXPECT_THAT(net::missing_grants(file.error()), IsEmpty());
  }
}

TEST_F(GrantedFiles, WhatTheOperatorPassesMayUseWhatItNames) {
  const agent::Needs needs = {host("http://models.example:8000/v1"),
                              sent(kKey, "OPENAI_API_KEY", "http://models.example:8000/v1"),
                              host("http://localhost:9090/hooks"),
                              sent(kVariable, "HOOK_TOKEN", "http://localhost:9090/hooks"),
                              database("${SHOP_DB}"),
                              database(path("other.db"), true)};
  Grants grants(variable);
  grants.allow_named("his", needs);
  for (const Need& need : needs) {
    EXPECT_TRUE(grants.of("his")->check(need).ok()) << need.name << need.url;
    EXPECT_FALSE(grants.of("another")->check(need).ok()) << need.name << need.url;
  }
  const auto his = grants.of("his");
  EXPECT_FALSE(his->check(host("http://models.example:8001/v1")).ok());
  EXPECT_FALSE(his->database(path("shops/a.db"), false));  // but as ${SHOP_DB}
  // A name may be in the intranet, not on this machine.
  const net::Origin origin = net::read_url("http://models.example:8000/")->origin;
  EXPECT_FALSE(his->reach()->refusal(origin, *net::parse_ip("10.0.0.1")));
  EXPECT_TRUE(his->reach()->refusal(origin, *net::parse_ip("127.0.0.1")));
  EXPECT_TRUE(his->reach()->refusal(origin, *net::parse_ip("169.254.169.254")));
}

TEST(Grants, WhatIsNoGrantIsRefusedWithTheForms) {
  for (const char* wrong : {"",
                            "host",
                            "host:",
                            "host:a b",
                            "host:x:0",
                            "host:x/inner",
                            "key:NAME",
                            "key:NAME@",
                            "key:@api.openai.com",
                            "env:",
                            "env:1A",
                            "env:A-B",
                            "env:A@",
                            "database:",
                            "database:shop.db",
                            "database.read:/x",
                            "file:/etc/passwd",
                            "command:ls",
                            "HOST:x",
                            "host:höst"}) {
    const auto grant = parse_grant(wrong);
    ASSERT_FALSE(grant) << wrong;
    EXPECT_EQ(grant.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(grant.error().message(), HasSubstr("database.write:PATH")) << wrong;
  }
}

TEST(Grants, AFileOfThem) {
  constexpr std::string_view kHead = "apiVersion: holdfast.dev/v1\nkind: Grants\n";
  const auto read =
      parse_grants_file(std::string(kHead) + "grants:\n  - host:*\n  - env:A@h.example:8080\n", "g.yaml");
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(1).name, "A");
  const auto message = [&](const std::string& rest) {
    auto wrong = parse_grants_file(std::string(kHead) + rest, "g.yaml");
    return wrong ? std::string("none") : wrong.error().message();
  };
  EXPECT_THAT(message("grants:\n  - hots:x\n  - {host: y}\n"),
              HasSubstr("g.yaml:4:5: grant `hots:x`: there is no kind"));
  EXPECT_THAT(message("grants:\n  - hots:x\n  - {host: y}\n"), HasSubstr("g.yaml:5:5: a grant is a text"));
  EXPECT_THAT(message("grant: [host:x]\n"), HasSubstr("did you mean `grants`?"));
  EXPECT_THAT(message(""), HasSubstr("`grants` is missing"));
  EXPECT_THAT(message("grants: []\n---\ngrants: []\n"), HasSubstr("holds one document, not 2"));
  EXPECT_THAT(message("grants: ["), HasSubstr("broken YAML"));
  EXPECT_FALSE(parse_grants_file("", "g.yaml"));
  EXPECT_FALSE(parse_grants_file("kind: Agent\ngrants: []\n", "g.yaml"));
}

}  // namespace
}  // namespace holdfast::grant
