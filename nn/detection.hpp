#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.hpp"
#include "nn/feature_maps.hpp"

namespace kirchnet {

/// An object that a network found.
struct Detection {
    std::int32_t label = 0;  ///< class
    float confidence = 0;    ///< objectness × class score, 0 to 1
    BoundingBox box;
    friend bool operator==(const Detection&, const Detection&) = default;
};

/// Of one image, the most confident first.
using Detections = std::vector<Detection>;

/// What is kept of a detector's boxes. The defaults are those published detectors are measured by.
struct DetectionSettings {
    float least_confidence = 0.005F;  ///< kept where above
    float largest_overlap = 0.45F;    ///< IoU above which the less confident box of a class goes
};

/// Intersection over union of two boxes, 0 to 1; 0 where both are empty.
float overlap(const BoundingBox& a, const BoundingBox& b);

/// Boxes of one head's map for one image of its block, a detection per box and class.
/// @param classes  of the network
/// @param input    the network's input; anchors are in its pixels
Detections decode(const DetectionHead& head, std::size_t classes, const ImageShape& input,
                  const FeatureMaps& map, std::size_t image, float least_confidence);

/// Non-maximum suppression within each class: goes from the most confident box down and drops those
/// that overlap a kept one by more than `largest_overlap`.
Detections suppress_overlaps(Detections found, float largest_overlap);

/// Objects found by a detector's heads in one image of a block.
/// @param maps  of `network.heads`, in their order
Detections find_objects(const Network& network, const std::vector<const FeatureMaps*>& maps,
                        std::size_t image, const DetectionSettings& settings = {});

/// Mean over the classes that occur in `truth` of the area under the precision-recall curve, with
/// precision made to fall monotonically (all-point interpolation, PASCAL VOC 2010). A detection is
/// right when its box overlaps the object of its class that it overlaps most by IoU >= 0.5 and no
/// more confident one took that object.
/// @return  0 to 1; 0 without objects
double mean_average_precision(const std::vector<Detections>& found,
                              const std::vector<std::vector<LabelledObject>>& truth);

/// How alike two sets of detections are: 2 pairs / (detections of a + of b), counting detections
/// of at least 0.25 confidence, paired where they are of one class and overlap by IoU >= 0.5.
/// @return  0 to 1; 1 where neither has any
double detection_agreement(const std::vector<Detections>& a, const std::vector<Detections>& b);

}  // namespace kirchnet
