// Identifiers and statuses: their text forms are part of stored data and of the protocol.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ids.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/storage_fault.h"
#include "base/text.h"
#include "holdfast/status.h"

namespace holdfast {
namespace {

// 0, 1, 2, ...: the bytes are seen in what is made of them.
class BytesInOrder : public Random {
 public:
  std::uint64_t next() override { return value_++; }
  void fill(std::span<std::uint8_t> bytes) override {
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(value_++);
  }

 private:
  std::uint64_t value_ = 0;
};

TEST(Ids, UuidHasVersionFourForm) {
  BytesInOrder random;
  const std::string uuid = new_uuid(random);
  EXPECT_EQ(uuid, "00010203-0405-4607-8809-0a0b0c0d0e0f");
  EXPECT_TRUE(is_uuid(uuid));
}

TEST(Ids, UuidOfVersionSevenSortsByTime) {
  BytesInOrder random;
  EXPECT_EQ(new_uuid_v7(random, 0x0123456789ab), "01234567-89ab-7607-8809-0a0b0c0d0e0f");
  EXPECT_LT(new_uuid_v7(random, 1'700'000'000'000), new_uuid_v7(random, 1'700'000'000'001));
  EXPECT_TRUE(is_uuid(new_uuid_v7(random, 1)));
}

TEST(Ids, IsUuidRefusesOtherText) {
  EXPECT_FALSE(is_uuid(""));
  EXPECT_FALSE(is_uuid("00010203-0405-4607-8809-0a0b0c0d0e0"));
  EXPECT_FALSE(is_uuid("00010203x0405-4607-8809-0a0b0c0d0e0f"));
  EXPECT_FALSE(is_uuid("g0010203-0405-4607-8809-0a0b0c0d0e0f"));
}

TEST(Ids, StableHashNeverChanges) {
  // Published FNV-1a vectors: data on disk is placed by this hash.
  EXPECT_EQ(stable_hash(""), 0xcbf29ce484222325ULL);
  EXPECT_EQ(stable_hash("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(stable_hash("foobar"), 0x85944171f73967e8ULL);
}

TEST(Status, NamesTheCode) {
  EXPECT_EQ(Status().to_string(), "OK");
  EXPECT_EQ(Status(Code::kNotFound, "no such run").to_string(), "NOT_FOUND: no such run");
  EXPECT_EQ(code_name(Code::kUnauthenticated), "UNAUTHENTICATED");
}

TEST(IsoTime, ReadsWhatItWroteAndOtherZones) {
  const auto read = [](std::string_view text) {
    auto time = parse_iso_time(text);
    return time ? iso_time(*time) : "none";
  };
  EXPECT_EQ(read("2026-11-21T09:00:00.123Z"), "2026-11-21T09:00:00.123Z");
  EXPECT_EQ(read("2026-11-21T09:00:01Z"), "2026-11-21T09:00:01.000Z");
  EXPECT_EQ(read("2026-11-21 09:00Z"), "2026-11-21T09:00:00.000Z");
  EXPECT_EQ(read("2026-11-21T09:00:00.5+01:00"), "2026-11-21T08:00:00.500Z");
  EXPECT_EQ(read("2026-11-21T23:30:00.123456-01:30"), "2026-11-22T01:00:00.123Z");
  for (std::string_view wrong :
       {"", "2026-11-21", "2026-11-21T09:00:00", "2026-11-21T09Z", "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T09:60:00Z", "2026-11-21T09:00:00.Z",
        "2026-11-21T09:00:00+1:00", "2026-11-21T09:00:00Z ", "-026-11-21T09:00:00Z", "9999-01-01T00:00:00Z",
        "tomorrow"}) {
    EXPECT_EQ(read(wrong), "none") << wrong;
  }
}

TEST(IsoTime, IsUtcToTheMillisecondBeforeAndAfterTheEpoch) {
  const auto at = [](std::int64_t nanoseconds) {
    return iso_time(WallTime(std::chrono::nanoseconds(nanoseconds)));
  };
  EXPECT_EQ(at(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(at(1'763'715'600'123'999'999), "2025-11-21T09:00:00.123Z");
  EXPECT_EQ(at(951'782'399'999'000'000), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(at(951'782'400'000'000'000), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(at(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Json, NestsNoDeeperThanItMay) {
  const auto brackets = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(brackets(kMaxJsonDepth)).is_array());
  EXPECT_TRUE(parse_json(brackets(kMaxJsonDepth + 1)).is_discarded());
  EXPECT_TRUE(parse_json(brackets(1'000'000)).is_discarded());
  EXPECT_FALSE(nests_deeper(R"({"text": "[[[[ \" [[[[", "list": [[], [], []]})", 3));
  EXPECT_TRUE(parse_json("{").is_discarded());
}

TEST(Json, ReadsWhatTheLibraryReads) {
  for (const char* text : {"null", "true", "-1", "0", "9223372036854775807", "-9223372036854775808",
                           "18446744073709551615", "1.5e3", R"("a\u00fc\n")", "[]", "{}",
                           R"([1, [2, {"a": []}], "x"])", R"({"b": 1, "a": {"b": {}, "c": [{}]}})",
                           R"({"twice": 1, "a": 2, "twice": {"x": 3}})", " [1 , 2 ] "}) {
    EXPECT_EQ(parse_json(text), nlohmann::json::parse(text)) << text;
    EXPECT_EQ(parse_json<nlohmann::ordered_json>(text).dump(), nlohmann::ordered_json::parse(text).dump())
        << text;
  }
  for (const char* text :
       {"", "{", "[1", "[1,]", "01", "nul", "\"a", "{\"a\"}", "{\"a\": 1,}", "1 2", "\"\xff\"", "[] x"}) {
    EXPECT_TRUE(parse_json(text).is_discarded()) << text;
    auto read = read_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(read.error().message(), testing::HasSubstr("parse error")) << text;
  }
}

// Behind it could stand what whoever looked at the text never saw.
TEST(Json, ANulIsNotTheEndOfTheText) {
  for (std::string_view text :
       {std::string_view("26\0{", 4), std::string_view("{}\0", 3), std::string_view("\0", 1),
        std::string_view("[\0]", 3), std::string_view("\"\0\"", 3)}) {
    const auto read = read_json(text);
    ASSERT_FALSE(read) << text.size();
    EXPECT_NE(read.error().message().find("NUL"), std::string::npos) << read.error().message();
  }
  EXPECT_EQ(*read_json(R"("\u0000")"), nlohmann::json(std::string(1, '\0')));
}

// In time that grows with the text: by the square of the keys this would take minutes.
TEST(Json, AnObjectMayHaveManyKeys) {
  std::string text = "{";
  for (int i = 0; i < 300'000; ++i)
    text += '"' + std::to_string(i % 250'000) + "\":" + std::to_string(i) + ',';
  text.back() = '}';
  const auto json = parse_json<nlohmann::ordered_json>(text);
  ASSERT_EQ(json.size(), 250'000U);
  EXPECT_EQ(json.begin().key(), "0");  // the place of the first, the value of the last
  EXPECT_EQ(json.begin().value(), 250'000);
  EXPECT_EQ(json.back(), 249'999);
}

TEST(Json, AnIntegerThatDoesNotFitIsRefusedWhereItMatters) {
  const auto exact = [](const char* text) { return read_json(text, kMaxJsonDepth, Integers::kExact); };
  EXPECT_EQ(exact("[18446744073709551615, -9223372036854775808, 1e30, 2.0]")->size(), 4U);
  for (const char* text :
       {"18446744073709551616", "[-9223372036854775809]", "{\"a\": 1000000000000000000000000}"}) {
    EXPECT_TRUE(parse_json(text).is_discarded() == false) << text;
    auto read = exact(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message(), testing::HasSubstr("more than 64 bits"));
  }
}

TEST(Text, IsMadeUtf8) {
  EXPECT_EQ(to_utf8("gr\xC3\xBC\xC3\x9F"
                    "e"),
            "gr\xC3\xBC\xC3\x9F"
            "e");
  EXPECT_EQ(to_utf8("gr\xFC\xDF"
                    "e"),
            "gr\uFFFD\uFFFDe");
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));  // half of a surrogate pair
  EXPECT_TRUE(is_utf8(to_utf8(std::string(100, '\x80'))));
}

TEST(Text, IsCutBetweenCharacters) {
  EXPECT_EQ(cut_text("ééé", 3), "é");
  EXPECT_EQ(cut_text("ééé", 6), "ééé");
  EXPECT_EQ(cut_text("éé", 0), "");
}

TEST(Hmac, AnEmptyKeyIsNotTheKeyOfTheCallBefore) {
  const std::string of_none = hmac_sha256("", "message");
  hmac_sha256("key", "message");
  EXPECT_EQ(hmac_sha256("", "message"), of_none);
  EXPECT_NE(hmac_sha256("key", "message"), of_none);
}

// RFC 4231, test case 2.
TEST(Hmac, OfTheStandardsExample) {
  const std::string_view code(
      "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
      "\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43",
      32);
  EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"), code);
  EXPECT_TRUE(equal_in_constant_time(code, code));
  EXPECT_FALSE(equal_in_constant_time("ab", "ac"));
  EXPECT_FALSE(equal_in_constant_time("ab", "abc"));
}

// FIPS 180-2's examples.
TEST(Sha256, HexOfTheStandardsExamples) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// A thread hashes with what it made once, and several hashes may be under way at once.
TEST(Sha256, EachHashIsOfItsOwnBytes) {
  const std::string of_abc = sha256_hex("abc");
  Sha256 one;
  Sha256 other;
  one.update("a");
  other.update("b");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  one.update("bc");
  EXPECT_EQ(one.hex(), of_abc);
  EXPECT_EQ(other.hex(), sha256_hex("b"));
  std::string elsewhere;
  std::thread([&] { elsewhere = sha256_hex("abc"); }).join();
  EXPECT_EQ(elsewhere, of_abc);
}

TEST(StorageFault, TravelsWithItsStatus) {
  EXPECT_EQ(fault_of(with_fault(Code::kDataLoss, StorageFault::kCorrupt, "damaged")), StorageFault::kCorrupt);
  EXPECT_EQ(fault_of(Status(Code::kDataLoss, "damaged")), StorageFault::kNone);
}

TEST(BoundedText, CutsBetweenCharactersAndMendsBytes) {
  EXPECT_EQ(bounded_text("short", 10), "short");
  EXPECT_EQ(bounded_text("ééééé", 5), "éé... (10 bytes in all, 4 shown)");
  EXPECT_TRUE(is_utf8(bounded_text("\xff\xfe", 10)));
}

}  // namespace
}  // namespace holdfast
