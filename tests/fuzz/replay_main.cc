// Runs a fuzz target over every file of a corpus, in the order of their names, and then over as many random
// changes of them as it is told: a search without a compass, for builds that have no libFuzzer. A target that
// fails ends the process; the input that it was given is then in the file `last-input` of the directory it
// was started in.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

using Dice = std::mt19937_64;

std::size_t below(Dice& dice, std::size_t limit) {
  return limit == 0 ? 0 : dice() % limit;
}

// A few of: bytes changed, cut out, put in, repeated, taken from another file.
std::string changed(std::string bytes, const std::vector<std::string>& corpus, Dice& dice) {
  constexpr char kTelling[] = "\x00\x01\x7f\x80\xff{}[]\"':,;&*%#\r\n\t -0919eE()<>=!|@$\\/";
  for (std::size_t changes = 1 + below(dice, 6); changes > 0; --changes) {
    const std::size_t at = below(dice, bytes.size() + 1);
    const std::size_t length = std::min(bytes.size() - at, below(dice, 40));
    const std::string& other = corpus[below(dice, corpus.size())];
    switch (below(dice, 7)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(dice());
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = kTelling[below(dice, sizeof kTelling)];
        break;
      case 2: bytes.erase(at, length); break;
      case 3: bytes.insert(at, 1 + below(dice, 4), kTelling[below(dice, sizeof kTelling)]); break;
      case 4: bytes.insert(at, bytes.substr(at, length)); break;
      case 5: bytes.insert(at, other.substr(below(dice, other.size() + 1), below(dice, 60))); break;
      default:
        for (std::size_t i = 1 + below(dice, 30); i > 0; --i) bytes.insert(at, 1, static_cast<char>(dice()));
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS [CHANGES]\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    corpus.emplace_back((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    std::printf("%s\n", file.filename().c_str());
    std::fflush(stdout);
    run(corpus.back());
  }
  std::printf("%zu inputs\n", files.size());
  if (files.empty()) return 1;
  Dice dice;
  for (long left = argc == 3 ? std::atol(argv[2]) : 0; left > 0; --left) {
    const std::string bytes = changed(corpus[below(dice, corpus.size())], corpus, dice);
    std::ofstream("last-input", std::ios::binary) << bytes;
    run(bytes);
  }
  return 0;
}
