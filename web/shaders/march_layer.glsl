// SPDX-License-Identifier: Apache-2.0
// section begin
    ivec3 at@N = ivec3(-1);
    Brick@N brick@N;
    float before@N = NO_SAMPLE; // entry of the transfer table at the last sample
// section density
        Place@N place@N = @PLACE;
        place@N.ijk = wrapped@N(place@N.ijk);
        ivec3 in@N = brickIndex@N(place@N.ijk);
        if (in@N != at@N) { at@N = in@N; brick@N = brickOf@N(at@N, slots@N.x); }
        vec3 fine@N = absolute * place@N.density / brick@N.scale;
        perKm = max(perKm, max(fine@N.x, max(fine@N.y, fine@N.z)));
// section value
        {
            float q, entry = NO_SAMPLE, before = ds == 0.0 ? NO_SAMPLE : before@N;
            bool has = place@N.inside && valueWith@N(brick@N, place@N.ijk, q);
#if MINUS@N
            float less;
            has = has && place@M.inside && valueWith@M(brick@M, place@M.ijk, less);
            if (has) q -= ratio@N * less;
#endif
            if (has) entry = (q * lookup@N.x + lookup@N.y) * ENTRIES - 0.5;
            if (entry != NO_SAMPLE || before != NO_SAMPLE) {
                // Where one end has no value the edge lies somewhere between: half of the step, on average. The ground ends it.
                float share = (entry != NO_SAMPLE && before != NO_SAMPLE) || (entry == NO_SAMPLE && s >= end) ? 1.0 : 0.5;
                if (entry == NO_SAMPLE) q = ((before + 0.5) / ENTRIES - lookup@N.y) / lookup@N.x;
                vec4 look = lookBetween(before, entry, @LINE, @ROW);
                look.a *= share;
                if (look.a > 0.0) {
                    tau += look.a;
                    mixed += look.a * shadeAt@N(place@N, brick@N@FOUND, q, look, middle, through * (1.0 - exp(-look.a * kilometres)));
                }
            }
            before@N = entry;
        }
// section shade
// The value so many voxels away, which the brick's border covers; of a difference so many voxels of either's.
bool beside@N(Place@N place, Brick@N brick@TAKEN, vec3 by, out float q) {
#if MINUS@N
    float less;
    if (!valueIn@N(brick, place.ijk + by * brick.scale, q) || !valueIn@M(lessBrick, lessPlace.ijk + by * lessBrick.scale, less)) return false;
    q -= ratio@N * less;
    return true;
#else
    return texelAt@N(brick, place.ijk + by * brick.scale, q);
#endif
}

// Colour of a lit sample that gives the share `alpha` of the pixel. Gradients are differences over half a voxel on each side, turned towards thinner matter.
vec3 shadeAt@N(Place@N place, Brick@N brick@TAKEN, float q, vec4 look, vec3 at, float alpha) {
    float sun = 1.0;
    if (shadows > 0.0) sun = texture(light, (at - boxLow) * lightRate).r;
    float diffuse = 1.0;
#if GRADIENTS
    if (shade@N > 0.0 && alpha > 0.025) {
        bool texels = brick.kind == 2u;
#if MINUS@N
        texels = texels || lessBrick.kind == 2u;
#endif
        if (texels) {
            float xl, xh, yl, yh, zl, zh;
            if (!beside@N(place, brick@GIVEN, vec3(-0.5, 0, 0), xl)) xl = q;
            if (!beside@N(place, brick@GIVEN, vec3(0.5, 0, 0), xh)) xh = q;
            if (!beside@N(place, brick@GIVEN, vec3(0, -0.5, 0), yl)) yl = q;
            if (!beside@N(place, brick@GIVEN, vec3(0, 0.5, 0), yh)) yh = q;
            if (!beside@N(place, brick@GIVEN, vec3(0, 0, -0.5), zl)) zl = q;
            if (!beside@N(place, brick@GIVEN, vec3(0, 0, 0.5), zh)) zh = q;
            vec3 slope = vec3(xh - xl, yh - yl, zh - zl);
            vec3 gradient = slope * place.density / brick.scale * vec3(1.0, 1.0, 1.0 / exaggeration);
            // How opacity answers to a higher value says which way is out.
            float range = max(abs(slope.x) + abs(slope.y) + abs(slope.z), 1e-6) * lookup@N.x;
            float rise = texture(transfer, vec2((q * lookup@N.x + lookup@N.y) + 0.5 * range, @ROW)).a
                       - texture(transfer, vec2((q * lookup@N.x + lookup@N.y) - 0.5 * range, @ROW)).a;
            float contrast = clamp(abs(rise) / (look.a + abs(rise)) * 2.0, 0.0, 1.0);
            vec3 normal = -gradient * sign(rise) / max(length(gradient), 1e-9);
            float facing = dot(normal, lightDirection);
            diffuse = mix(1.0, 0.35 + 0.75 * clamp(facing * 0.5 + 0.5, 0.0, 1.0), contrast * shade@N);
        }
    }
#endif
    return look.rgb * (ambientColour + lightColour * sun * diffuse);
}
// section tau
    {
        Place@N place = placeOf@N(scene);
        float q;
        bool has = place.inside && valueAt@N(place.ijk, q);
#if MINUS@N
        Place@M lessPlace = @LESS;
        float less;
        has = has && lessPlace.inside && valueAt@M(lessPlace.ijk, less);
        if (has) q -= ratio@N * less;
#endif
        if (has) tau += texture(transfer, vec2(q * lookup@N.x + lookup@N.y, @ROW)).a;
    }
// section drape
    {
        vec2 ij, density;
        float q;
        bool has = columnOf@N(at.xy, ij, density) && valueAt@N(vec3(ij, 0.0), q);
#if MINUS@N
        float less;
        has = has && valueAt@M(vec3(ij, 0.0), less);
        if (has) q -= ratio@N * less;
#endif
        if (has) {
            look = texture(transfer, vec2(q * lookup@N.x + lookup@N.y, @ROW));
            c = mix(c, look.rgb, 1.0 - exp(-look.a));
        }
    }
