#include "spec/yaml_documents.h"

#include <yaml-cpp/eventhandler.h>

#include <sstream>

namespace holdfast::spec {

namespace {

using YAML::anchor_t;
using YAML::Mark;
using Style = YAML::EmitterStyle::value;

// Where the last document began.
class Beginnings : public YAML::EventHandler {
 public:
  void OnDocumentStart(const Mark& mark) override { last = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const Mark&, anchor_t) override {}
  void OnAlias(const Mark&, anchor_t) override {}
  void OnScalar(const Mark&, const std::string&, anchor_t, const std::string&) override {}
  void OnSequenceStart(const Mark&, const std::string&, anchor_t, Style) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const Mark&, const std::string&, anchor_t, Style) override {}
  void OnMapEnd() override {}

  Mark last = Mark::null_mark();
};

}  // namespace

std::vector<YAML::Node> yaml_documents(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Beginnings beginnings;
  int before = -1;
  while (parser.HandleNextDocument(beginnings)) {
    if (beginnings.last.pos == before)
      throw YAML::ParserException(beginnings.last, "no document begins so; is a key or a bracket missing?");
    before = beginnings.last.pos;
  }
  return YAML::LoadAll(text);
}

YAML::Node yaml_document(const std::string& text) {
  const std::vector<YAML::Node> documents = yaml_documents(text);
  for (std::size_t i = 1; i < documents.size(); ++i) {
    if (!documents[i].IsNull())  // a `---` with nothing behind it
      throw YAML::ParserException(documents[i].Mark(), "a second document (after `---`), which nobody would read");
  }
  return documents.empty() ? YAML::Node() : documents.front();
}

}  // namespace holdfast::spec
