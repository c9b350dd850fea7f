"use strict";(self.rspackChunkctkit_lab=self.rspackChunkctkit_lab||[]).push([[0],{18(e,t,r){var o=r(19),n=r.n(o),a=r(20),s=(r.n(a))()(n());s.push([e.id,`/* The panel of lessons, in the colours of the theme. States differ by shape first: ring, part of a disc, disc with a tick. */
.ck-lessons {
	background: var(--jp-layout-color1);
	color: var(--jp-ui-font-color1);
	font-family: var(--jp-ui-font-family);
	font-size: var(--jp-ui-font-size1);
	line-height: 1.4;
	min-width: 200px;
	overflow: auto;
	padding: 12px;
}
.ck-lessons h2 {
	font-size: var(--jp-ui-font-size1);
	font-weight: 600;
	margin: 0;
}
.ck-lessons p {
	margin: 2px 0 8px;
}
.ck-lessons .ck-summary {
	color: var(--jp-ui-font-color1);
	font-size: 12px;
	min-height: 1.4em;
}
.ck-lessons .ck-problem {
	border-left: 3px solid var(--jp-warn-color1);
	padding: 2px 0 2px 8px;
}
.ck-lessons .ck-list {
	list-style: none;
	margin: 0 -8px;
	padding: 0;
}
.ck-lessons .ck-lesson {
	align-items: start;
	background: none;
	border: 0;
	border-radius: 6px;
	color: inherit;
	column-gap: 10px;
	cursor: pointer;
	display: grid;
	font: inherit;
	grid-template-columns: 16px 1fr;
	padding: 8px;
	text-align: left;
	width: 100%;
}
.ck-lessons .ck-lesson:hover {
	background: var(--jp-layout-color2);
}
.ck-lessons :is(.ck-lesson, .ck-act):focus-visible {
	outline: 2px solid var(--jp-brand-color1);
	outline-offset: -2px;
}
.ck-lessons .ck-title {
	font-weight: 500;
	overflow-wrap: anywhere;
}
.ck-lessons .ck-state {
	color: var(--jp-ui-font-color1);
	font-size: 12px;
	grid-column: 2;
}
.ck-lessons .ck-mark {
	border: 1.5px solid var(--jp-ui-font-color2);
	border-radius: 50%;
	height: 14px;
	margin-top: 2px;
	position: relative;
	width: 14px;
}
.ck-lessons [data-state="opened"] .ck-mark {
	background: conic-gradient(#3a82c8 calc(var(--ck-share, 0) * 1turn), transparent 0);
	border-color: #3a82c8;
}
.ck-lessons [data-state="finished"] .ck-mark {
	background: #3a82c8;
	border-color: #3a82c8;
}
.ck-lessons [data-state="finished"] .ck-mark::after {
	border: solid #fff;
	border-width: 0 2px 2px 0;
	content: "";
	height: 7px;
	left: 3.5px;
	position: absolute;
	top: 1px;
	transform: rotate(45deg);
	width: 3px;
}
.ck-lessons .ck-acts {
	border-top: 1px solid var(--jp-border-color2);
	display: flex;
	flex-wrap: wrap;
	gap: 6px;
	margin-top: 12px;
	padding-top: 12px;
}
.ck-lessons .ck-act {
	background: var(--jp-layout-color1);
	border: 1px solid var(--jp-border-color1);
	border-radius: 4px;
	color: inherit;
	cursor: pointer;
	font: inherit;
	font-size: 12px;
	padding: 4px 10px;
}
.ck-lessons .ck-act:hover:enabled {
	background: var(--jp-layout-color2);
}
.ck-lessons .ck-act:disabled {
	cursor: default;
	opacity: 0.5;
}
`,""]),r.d(t,{},{A:s})},20(e){e.exports=function(e){var t=[];return t.toString=function(){return this.map(function(t){var r="",o=void 0!==t[5];return t[4]&&(r+="@supports (".concat(t[4],") {")),t[2]&&(r+="@media ".concat(t[2]," {")),o&&(r+="@layer".concat(t[5].length>0?" ".concat(t[5]):""," {")),r+=e(t),o&&(r+="}"),t[2]&&(r+="}"),t[4]&&(r+="}"),r}).join("")},t.i=function(e,r,o,n,a){"string"==typeof e&&(e=[[null,e,void 0]]);var s={};if(o)for(var i=0;i<this.length;i++){var c=this[i][0];null!=c&&(s[c]=!0)}for(var l=0;l<e.length;l++){var p=[].concat(e[l]);o&&s[p[0]]||(void 0!==a&&(void 0===p[5]||(p[1]="@layer".concat(p[5].length>0?" ".concat(p[5]):""," {").concat(p[1],"}")),p[5]=a),r&&(p[2]&&(p[1]="@media ".concat(p[2]," {").concat(p[1],"}")),p[2]=r),n&&(p[4]?(p[1]="@supports (".concat(p[4],") {").concat(p[1],"}"),p[4]=n):p[4]="".concat(n)),t.push(p))}},t}},19(e){e.exports=function(e){return e[1]}},12(e){var t=[];function r(e){for(var r=-1,o=0;o<t.length;o++)if(t[o].identifier===e){r=o;break}return r}function o(e,o){for(var n={},a=[],s=0;s<e.length;s++){var i=e[s],c=o.base?i[0]+o.base:i[0],l=n[c]||0,p="".concat(c," ").concat(l);n[c]=l+1;var d=r(p),u={css:i[1],media:i[2],sourceMap:i[3],supports:i[4],layer:i[5]};if(-1!==d)t[d].references++,t[d].updater(u);else{var f=function(e,t){var r=t.domAPI(t);return r.update(e),function(t){t?(t.css!==e.css||t.media!==e.media||t.sourceMap!==e.sourceMap||t.supports!==e.supports||t.layer!==e.layer)&&r.update(e=t):r.remove()}}(u,o);o.byIndex=s,t.splice(s,0,{identifier:p,updater:f,references:1})}a.push(p)}return a}e.exports=function(e,n){var a=o(e=e||[],n=n||{});return function(e){e=e||[];for(var s=0;s<a.length;s++){var i=r(a[s]);t[i].references--}for(var c=o(e,n),l=0;l<a.length;l++){var p=r(a[l]);0===t[p].references&&(t[p].updater(),t.splice(p,1))}a=c}}},14(e){var t={};e.exports=function(e,r){var o=function(e){if(void 0===t[e]){var r=document.querySelector(e);if(window.HTMLIFrameElement&&r instanceof window.HTMLIFrameElement)try{r=r.contentDocument.head}catch(e){r=null}t[e]=r}return t[e]}(e);if(!o)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");o.appendChild(r)}},16(e){e.exports=function(e){var t=document.createElement("style");return e.setAttributes(t,e.attributes),e.insert(t,e.options),t}},15(e,t,r){e.exports=function(e){var t=r.nc;t&&e.setAttribute("nonce",t)}},13(e){e.exports=function(e){if("u"<typeof document)return{update:function(){},remove:function(){}};var t=e.insertStyleElement(e);return{update:function(r){var o,n,a;o="",r.supports&&(o+="@supports (".concat(r.supports,") {")),r.media&&(o+="@media ".concat(r.media," {")),(n=void 0!==r.layer)&&(o+="@layer".concat(r.layer.length>0?" ".concat(r.layer):""," {")),o+=r.css,n&&(o+="}"),r.media&&(o+="}"),r.supports&&(o+="}"),(a=r.sourceMap)&&"u">typeof btoa&&(o+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(a))))," */")),e.styleTagTransform(o,t,e.options)},remove:function(){var e;null===(e=t).parentNode||e.parentNode.removeChild(e)}}}},17(e){e.exports=function(e,t){if(t.styleSheet)t.styleSheet.cssText=e;else{for(;t.firstChild;)t.removeChild(t.firstChild);t.appendChild(document.createTextNode(e))}}},11(e,t,r){var o=r(12),n=r.n(o),a=r(13),s=r.n(a),i=r(14),c=r.n(i),l=r(15),p=r.n(l),d=r(16),u=r.n(d),f=r(17),h=r.n(f),v=r(18),m={};m.styleTagTransform=h(),m.setAttributes=p(),m.insert=c().bind(null,"head"),m.domAPI=s(),m.insertStyleElement=u(),n()(v.A,m),v.A&&v.A.locals&&v.A.locals}}]);