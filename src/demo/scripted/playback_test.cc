// One reply, played: the bytes are the frames in pieces of the size that the script wants, each chunk waits
// for its delay, and what the script breaks breaks where it says.

#include "scripted/playback.h"

#include <gmock/gmock.h>

#include "net/message.h"

namespace holdfast::model {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

class PlaybackTest : public ::testing::Test {
 protected:
  Playback play() const { return Playback({"one", "two", "three"}, reply_, fault_, "sorry"); }

  // What it sends, "-" where it has nothing now, until it ends, is cut ("!") or has nothing that comes later.
  std::vector<std::string> played() {
    Playback playback = play();
    std::vector<std::string> out;
    try {
      while (out.size() < 100) {
        const std::size_t before = pauses_.size();
        auto bytes = playback.next([this](milliseconds delay) { pauses_.push_back(delay); });
        if (!bytes) return out;
        out.push_back(bytes->empty() ? "-" : *bytes);
        if (bytes->empty() && pauses_.size() == before) return out;
      }
    } catch (const net::StreamCut&) {
      out.push_back("!");
    }
    return out;
  }

  void misbehave(ScriptedFault::Kind kind, std::uint64_t after) {
    fault_.emplace();
    fault_->kind = kind;
    fault_->after = after;
  }

  ScriptedReply reply_;
  std::optional<ScriptedFault> fault_;
  std::vector<milliseconds> pauses_;
};

using Kind = ScriptedFault::Kind;

TEST_F(PlaybackTest, SendsChunkAfterChunk) {
  EXPECT_THAT(played(), ElementsAre("one", "two", "three"));
  EXPECT_TRUE(pauses_.empty());
}

TEST_F(PlaybackTest, EachChunkWaits) {
  reply_.delay = milliseconds(20);
  EXPECT_THAT(played(), ElementsAre("-", "one", "-", "two", "-", "three"));
  EXPECT_THAT(pauses_, ElementsAre(milliseconds(20), milliseconds(20), milliseconds(20)));
}

TEST_F(PlaybackTest, PiecesHaveTheSizeThatIsWanted) {
  reply_.write_bytes = 2;
  EXPECT_THAT(played(), ElementsAre("on", "e", "tw", "o", "th", "re", "e"));
}

TEST_F(PlaybackTest, BreaksWhereTheScriptSays) {
  misbehave(Kind::kCut, 1);
  EXPECT_THAT(played(), ElementsAre("one", "!"));
  misbehave(Kind::kStreamError, 2);
  EXPECT_THAT(played(), ElementsAre("one", "two", "sorry"));
  misbehave(Kind::kHang, 1);
  EXPECT_THAT(played(), ElementsAre("one", "-"));
  // Beyond the last chunk is behind it.
  misbehave(Kind::kCut, 50);
  EXPECT_THAT(played(), ElementsAre("one", "two", "three", "!"));
}

}  // namespace
}  // namespace holdfast::model
