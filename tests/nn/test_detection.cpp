// Boxes from maps, and how good they are; larger cases are NumPy's: tests/data/detections.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "nn/detection.hpp"

using namespace kirchnet;

namespace {

using Rows = std::vector<std::vector<double>>;

struct Reference {
    std::vector<double> map;
    std::vector<Rows> decoded;  // per image: class, confidence, left, top, right, bottom
    std::vector<Rows> kept;
    std::vector<Rows> truth;  // per image: class, left, top, right, bottom
    double map50 = 0;
};

Rows rows_of(const std::vector<double>& numbers, std::size_t columns) {
    Rows rows;
    for (auto at = numbers.begin(); at != numbers.end(); at += static_cast<std::ptrdiff_t>(columns))
        rows.emplace_back(at, at + static_cast<std::ptrdiff_t>(columns));
    return rows;
}

Reference read_reference() {
    std::ifstream file(KIRCHNET_TEST_CASES "/detections/values.txt");
    Reference reference;
    for (std::string line; std::getline(file, line);) {
        std::istringstream text(line);
        std::string word;
        text >> word;
        std::vector<double> numbers;
        for (double number = 0; text >> number;) numbers.push_back(number);
        if (word == "map") reference.map = numbers;
        if (word == "decoded") reference.decoded.push_back(rows_of(numbers, 6));
        if (word == "kept") reference.kept.push_back(rows_of(numbers, 6));
        if (word == "truth") reference.truth.push_back(rows_of(numbers, 5));
        if (word == "map50") reference.map50 = numbers.front();
    }
    REQUIRE(reference.truth.size() == 2);
    return reference;
}

Network small_detector() {
    Network network;
    network.input = {3, 48, 64};
    network.detection_classes = 3;
    network.heads = {{"head", {{20, 10}, {8, 30}}, 1.2F}};
    return network;
}

FeatureMaps map_of(const Reference& reference) {
    FeatureMaps map;
    map.resize({16, 3, 4}, 2);
    REQUIRE(map.values.size() == reference.map.size());
    for (std::size_t i = 0; i < map.values.size(); ++i)
        map.values[i] = static_cast<float>(reference.map[i]);
    return map;
}

BoundingBox box_of(const std::vector<double>& row) {
    const auto side = [&](std::size_t back) { return static_cast<float>(row[row.size() - back]); };
    return {side(4), side(3), side(2), side(1)};
}

Detections detections_of(const Rows& rows) {
    Detections found;
    for (const auto& row : rows)
        found.push_back(
            {static_cast<std::int32_t>(row[0]), static_cast<float>(row[1]), box_of(row)});
    return found;
}

std::vector<LabelledObject> objects_of(const Rows& rows) {
    std::vector<LabelledObject> objects;
    for (const auto& row : rows)
        objects.push_back({static_cast<std::int32_t>(row[0]), box_of(row)});
    return objects;
}

void check_same(const Detections& found, const Detections& expected) {
    // float against double, exponentials of numbers around 1
    const auto near = [](float value) { return doctest::Approx(value).epsilon(1e-5).scale(1); };
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        CHECK(found[i].label == expected[i].label);
        CHECK(found[i].confidence == near(expected[i].confidence));
        CHECK(found[i].box.left == near(expected[i].box.left));
        CHECK(found[i].box.top == near(expected[i].box.top));
        CHECK(found[i].box.right == near(expected[i].box.right));
        CHECK(found[i].box.bottom == near(expected[i].box.bottom));
    }
}

const BoundingBox unit{0, 0, 1, 1};

}  // namespace

TEST_CASE("overlap is intersection over union") {
    CHECK(overlap(unit, unit) == 1);
    // [0, 1]² and [0.5, 1.5] x [0, 1]: 1/2 shared of 3/2
    CHECK(overlap(unit, {0.5F, 0, 1.5F, 1}) == doctest::Approx(1.0 / 3));
    CHECK(overlap(unit, {2, 0, 3, 1}) == 0);
    CHECK(overlap({1, 1, 1, 1}, {1, 1, 1, 1}) == 0);
}

TEST_CASE("a map of zeros gives boxes of half the anchors' odds in the middle of their cells") {
    const DetectionHead head{"head", {{16, 8}}, 1};
    FeatureMaps map;
    map.resize({6, 1, 2}, 1);
    // σ(0) = 1/2: confidence 1/4, centres 1/4 and 3/4 of the width, size 16/32 x 8/16
    const Detections found = decode(head, 1, {3, 16, 32}, map, 0, 0.2F);
    check_same(found, {{0, 0.25F, {0, 0.25F, 0.5F, 0.75F}}, {0, 0.25F, {0.5F, 0.25F, 1, 0.75F}}});
    CHECK(decode(head, 1, {3, 16, 32}, map, 0, 0.25F).empty());
}

TEST_CASE("boxes decode, thin out and score as in NumPy") {
    const Reference reference = read_reference();
    const Network network = small_detector();
    const FeatureMaps map = map_of(reference);
    std::vector<Detections> kept;
    std::vector<std::vector<LabelledObject>> truth;
    for (std::size_t image = 0; image < 2; ++image) {
        Detections all = decode(network.heads[0], 3, network.input, map, image, 0.05F);
        std::stable_sort(all.begin(), all.end(), [](const Detection& a, const Detection& b) {
            return a.confidence > b.confidence;
        });
        check_same(all, detections_of(reference.decoded[image]));
        kept.push_back(find_objects(network, {&map}, image, {0.05F, 0.45F}));
        check_same(kept.back(), detections_of(reference.kept[image]));
        truth.push_back(objects_of(reference.truth[image]));
    }
    CHECK(mean_average_precision(kept, truth) == doctest::Approx(reference.map50).epsilon(1e-6));
}

TEST_CASE("a box is dropped for a more confident one of its class alone") {
    const BoundingBox near{0.1F, 0, 1.1F, 1};  // IoU 0.9 / 1.1
    const Detections found{{0, 0.5F, near}, {0, 0.9F, unit}, {1, 0.4F, near}};
    CHECK(suppress_overlaps(found, 0.45F) == Detections{{0, 0.9F, unit}, {1, 0.4F, near}});
    CHECK(suppress_overlaps(found, 0.9F).size() == 3);
}

TEST_CASE("average precision on paper: right, wrong, right of three objects") {
    const BoundingBox left{0, 0, 0.2F, 1};
    const BoundingBox middle{0.4F, 0, 0.6F, 1};
    const BoundingBox right{0.8F, 0, 1, 1};
    const std::vector<std::vector<LabelledObject>> truth{{{7, left}, {7, middle}, {7, right}}};
    // Precision 1, 1/2, 2/3 at the three; recall steps of 1/3 at the first and the third.
    const Detections found{{7, 0.9F, left}, {7, 0.8F, {0.2F, 0, 0.4F, 1}}, {7, 0.7F, middle}};
    CHECK(mean_average_precision({found}, truth) == doctest::Approx((1 + 2.0 / 3) / 3));
    // A second box on the same object is wrong; a class without objects does not count.
    const Detections twice{{7, 0.9F, left}, {7, 0.8F, left}, {7, 0.7F, middle}, {3, 0.9F, left}};
    CHECK(mean_average_precision({twice}, truth) == doctest::Approx((1 + 2.0 / 3) / 3));
    CHECK(mean_average_precision({{}}, truth) == 0);
    CHECK(mean_average_precision({found}, {{}}) == 0);
}

TEST_CASE("agreement pairs confident boxes of one class, each once") {
    const BoundingBox far{3, 3, 4, 4};
    const Detections software{{0, 0.9F, unit}, {1, 0.8F, far}, {2, 0.1F, unit}};
    CHECK(detection_agreement({software}, {software}) == 1);
    // One pair of 2 + 3: the class of the second differs, the third is one too many.
    const Detections arm{{0, 0.5F, {0.1F, 0, 1.1F, 1}}, {2, 0.4F, far}, {0, 0.3F, unit}};
    CHECK(detection_agreement({arm}, {software}) == doctest::Approx(2.0 / 5));
    CHECK(detection_agreement({{}}, {{}}) == 1);
    CHECK(detection_agreement({{}}, {software}) == 0);
}
